//! A page that hears what happens.

use cnn_serve::Broadcast;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

type Failure = Box<dyn Error>;

fn asked(broadcast: &Broadcast, path: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(broadcast.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")?;
    Ok(stream)
}

#[test]
fn who_comes_late_hears_the_latest_of_each_kind_and_then_all_that_follows() -> Result<(), Failure> {
    let broadcast = Broadcast::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), "<h1>here</h1>".to_string())?;
    let mut page = String::new();
    asked(&broadcast, "/")?.read_to_string(&mut page)?;
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("<h1>here</h1>"), "{page}");

    broadcast.send("step", "1");
    broadcast.send("run", "\"first\"");
    broadcast.send("step", "2");
    let mut lines = BufReader::new(asked(&broadcast, "/events")?).lines();
    let mut next = || -> Result<String, Failure> {
        loop {
            let line = lines.next().ok_or("it has ended")??;
            if let Some(data) = line.strip_prefix("data: ") {
                return Ok(data.to_string());
            }
        }
    };
    assert_eq!([next()?, next()?], ["\"first\"", "2"]);
    broadcast.send("step", "3");
    assert_eq!(next()?, "3");
    // What listens does not keep it from ending, and hears the rest first.
    broadcast.send("end", "4");
    let ending = std::time::Instant::now();
    drop(broadcast);
    assert!(ending.elapsed() < Duration::from_millis(900), "it waits for who listens");
    assert_eq!(next()?, "4");
    assert!(next().is_err_and(|end| end.to_string() == "it has ended"));
    Ok(())
}
