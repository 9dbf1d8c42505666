//! What a server refuses, in which words, and how it is counted.

use crate::running::{Failure, Running, pictures, request};
use cnn_serve::cnn_classifier::{Known, Trained, cnn_data::Picture};
use cnn_serve::{Server, Settings};
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn what_is_no_picture_is_refused_in_a_sentence() -> Result<(), Failure> {
    let running = Running::new(|settings| {
        settings.body.0 = 20_000;
        settings.reading.max_pixels = 1000;
    })?;
    let sentence = |status: u16, said: &str| (status, format!(r#"{{"error":"{said}"}}"#));
    let (status, said) = running.post("/predict", b"no picture")?;
    assert!(status == 400 && said.starts_with(r#"{"error":"the picture: "#), "{status} {said}");
    assert_eq!(running.post("/predict", &[])?.0, 400);
    let large = Picture::new([1, 40, 40], vec![0_u8; 1600])?.png()?;
    let (status, said) = running.post("/predict", &large)?;
    assert!(status == 400 && said.contains("at most 1000 pixels, found 40×40"), "{status} {said}");
    assert_eq!(running.post("/predict", &[0; 20_001])?, sentence(413, "a picture's file may have at most 20.0 kB"));
    // Longer than it says, in pieces.
    let head = "POST /predict HTTP/1.1\r\nhost: here\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut chunked = head.as_bytes().to_vec();
    for _ in 0..30 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[7; 0x400]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(running.raw(&chunked)?.0, 413);
    let digit = &pictures(1)?[0];
    let top = "top: expected a number from 1, found ";
    assert_eq!(running.post("/predict?top=0", digit)?, sentence(400, &format!("{top}0")));
    assert_eq!(running.post("/predict?top=many", digit)?, sentence(400, &format!("{top}many")));
    assert_eq!(running.post("/predict?best=3", digit)?, sentence(400, "best: not known here, only top is"));
    let (status, said) = running.post("/predicted", digit)?;
    assert_eq!(status, 404);
    let paths = [
        "POST /predict,",
        "GET /,",
        "GET /healthz,",
        "GET /metrics",
        "GET /live/N,",
        "/live/N/pixels",
        "/live/N/picture",
    ];
    assert!(paths.iter().all(|path| said.contains(path)), "{said}");
    let by_post = "a picture is sent by POST, everything else is asked for by GET";
    assert_eq!(running.get("/predict")?, sentence(405, by_post));
    assert_eq!(running.get("/live/x")?, sentence(400, "the path names a network by its number, from 0"));
    assert_eq!(
        running.post("/live/7/pixels", digit)?,
        sentence(404, "there is no network 7: the page has 1 network, the first is 0")
    );
    let exact = "exact: expected true or false, found very";
    assert_eq!(running.post("/live/0/pixels?exact=very", digit)?, sentence(400, exact));
    let short = "1 byte is not the 1,024 of a picture of 1×32×32";
    assert_eq!(running.post("/live/0/pixels", &[0])?, sentence(400, short));
    // What breaks HTTP's own rules does not reach what answers.
    assert_eq!(running.raw(b"nonsense\r\n\r\n")?, (400, String::new()));
    let many = format!("GET / HTTP/1.1\r\nhost: here\r\n{}\r\n", "x: y\r\n".repeat(200));
    assert_eq!(running.raw(many.as_bytes())?, (431, String::new()));
    let form =
        String::from_utf8(request("/predict", b""))?.replace("host", "content-type: multipart/form-data\r\nhost");
    assert_eq!(running.raw(form.as_bytes())?.0, 415);
    assert_eq!(running.post("/predict?top=300", digit)?.0, 200);
    running.stop()
}

#[test]
fn bodies_have_one_bound_together() -> Result<(), Failure> {
    let running = Running::new(|settings| (settings.body.0, settings.bodies.0) = (4096, 4096))?;
    let began = Instant::now();
    // One that comes while another is here is refused itself: then the next one takes the room.
    let first = loop {
        let mut first = running.connect()?;
        first
            .write_all(b"POST /predict HTTP/1.1\r\nhost: here\r\ncontent-length: 4096\r\nconnection: close\r\n\r\n")?;
        first.write_all(&[1; 4000])?;
        thread::sleep(Duration::from_millis(100));
        let (status, said) = running.post("/predict", &[0; 3000])?;
        if status == 503 {
            assert!(said.contains("the pictures that are coming take all the memory"), "{said}");
            break first;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never full");
    };
    drop(first);
    while running.post("/predict", &[0; 3000])?.0 != 400 {
        assert!(began.elapsed() < Duration::from_secs(30), "the room was not given back");
    }
    running.stop()
}

/// Whatever was asked for, and whoever answered.
#[test]
fn every_answer_is_counted_by_its_status() -> Result<(), Failure> {
    let running = Running::new(|_| {})?;
    let digit = &pictures(1)?[0];
    let asked = [
        running.post("/predict", digit)?.0,
        running.post("/predict?top=0", digit)?.0,
        running.get("/nowhere")?.0,
        running.get("/predict")?.0,
        running.get("/live/7")?.0,
        running.post("/live/0/pixels", &[0])?.0,
        running.get("/healthz")?.0,
    ];
    assert_eq!(asked, [200, 400, 404, 405, 404, 400, 200]);
    let (_, metrics) = running.get("/metrics")?;
    for (status, times) in [(200, 2), (400, 2), (404, 2), (405, 1)] {
        let line = format!("cnn_answers_total{{status=\"{status}\"}} {times}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    // What takes seconds is a picture's answer.
    assert!(metrics.contains("cnn_request_seconds_count 2\n"), "{metrics}");
    running.stop()
}

#[test]
fn bounds_with_which_nothing_could_be_answered_are_refused() -> Result<(), Failure> {
    let refused = |settings| -> Result<String, Failure> {
        let trained = Trained::open("lenet", &Known::default())?;
        Ok(Server::new(vec![trained], settings).map(|_| ()).err().ok_or("it serves")?.to_string())
    };
    let said = refused(Settings { batch: 0, ..Settings::default() })?;
    assert_eq!(said, "batch is 0, with which nothing could be answered; at least 1 is expected");
    let mut settings = Settings::default();
    (settings.body.0, settings.bodies.0) = (1_000_000_000, 512_000_000);
    let said = refused(settings)?;
    assert_eq!(said, "a body may have 1.00 GB, but all together only 512.0 MB: the first cannot be more");
    Ok(())
}
