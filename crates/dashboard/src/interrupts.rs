//! Requests to stop from outside: signals, and Ctrl-C where it is a key.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The number of the signal that an interrupt is.
#[cfg(any(feature = "terminal", not(unix)))]
const INTERRUPT: i32 = 2;

/// Listens for requests to stop, until it is dropped: once nobody listens, signals do again what they do by default.
///
/// SIGINT and SIGTERM ask for a stop; one of them again ends the program at once, with the terminal given back.
/// SIGHUP, of a terminal that goes away, asks for a stop too, however often it comes: shells and the system may both send
/// it. A program that was started to ignore it, as by `nohup`, goes on.
///
/// ```
/// let interrupts = cnn_dashboard::Interrupts::listen()?;
/// let mut steps = 0;
/// while steps < 1000 && !interrupts.asked() {
///     steps += 1;
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Interrupts {
    asked: Arc<Asked>,
    /// Ends with this.
    _listener: system::Listener,
}

#[derive(Debug, Default)]
struct Asked {
    stop: Arc<AtomicBool>,
    /// Whether somebody wants it, and need only insist.
    once: AtomicBool,
}

impl Interrupts {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// A system that gives no thread or no handler.
    pub fn listen() -> io::Result<Self> {
        let asked = Arc::<Asked>::default();
        let theirs = Arc::clone(&asked);
        let listener = system::Listener::new(move |request| match request {
            Request::End(signal) => theirs.ask(signal),
            Request::HangUp => theirs.stop.store(true, Ordering::SeqCst),
        })?;
        Ok(Self { asked, _listener: listener })
    }

    /// Whether there was a request to stop.
    pub fn asked(&self) -> bool {
        self.asked.stop.load(Ordering::SeqCst)
    }

    /// What says so, for those that only look.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked.stop)
    }

    /// Asks for a stop.
    #[cfg(feature = "terminal")]
    pub(crate) fn stop(&self) {
        self.asked.stop.store(true, Ordering::SeqCst);
    }

    /// Does what SIGINT does.
    #[cfg(feature = "terminal")]
    pub(crate) fn interrupt(&self) {
        self.asked.ask(INTERRUPT);
    }
}

impl Asked {
    fn ask(&self, signal: i32) {
        self.stop.store(true, Ordering::SeqCst);
        if self.once.swap(true, Ordering::SeqCst) {
            end(128 + signal);
        }
    }
}

/// Gives the terminal back, if a dashboard has it, and ends the program with this exit code.
fn end(code: i32) -> ! {
    // Several may hear of the same signal; the first one ends the program.
    static ENDING: Mutex<()> = Mutex::new(());
    let _held = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    #[cfg(feature = "terminal")]
    crate::terminal::give_back();
    std::process::exit(code);
}

/// What a signal means.
#[derive(Clone, Copy, Debug)]
enum Request {
    /// The number of the signal.
    End(i32),
    #[cfg_attr(not(unix), allow(dead_code, reason = "there is no such signal"))]
    HangUp,
}

/// A file that grows beyond what the process may write is an error of writing from now on, not the end of the process.
pub fn file_limits_are_errors() {
    #[cfg(unix)]
    {
        // Where it cannot be had, the signal does what it did.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
    }
}

#[cfg(unix)]
mod system {
    use super::Request;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator::{Handle, Signals};
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread::JoinHandle;

    /// A thread that waits for signals.
    #[derive(Debug)]
    pub(super) struct Listener {
        handle: Handle,
        thread: Option<JoinHandle<()>>,
    }

    impl Listener {
        pub(super) fn new(mut heard: impl FnMut(Request) + Send + 'static) -> io::Result<Self> {
            let mut signals = listened()?;
            let handle = signals.handle();
            let thread = std::thread::Builder::new().name("signals".to_string()).spawn(move || {
                for signal in signals.forever() {
                    heard(if signal == SIGHUP { Request::HangUp } else { Request::End(signal) });
                }
            })?;
            count(|alive| alive + 1);
            Ok(Self { handle, thread: Some(thread) })
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            // A signal that comes between these two acts as by default; the other way round, nobody would hear it.
            count(|alive| alive - 1);
            self.handle.close();
            if let Some(thread) = self.thread.take() {
                let _ = thread.join();
            }
        }
    }

    /// What is listened to, and by how many. A handler stays for ever: while nobody listens it does what the system does by
    /// default.
    #[derive(Debug)]
    struct Listeners {
        listened: Vec<i32>,
        alive: usize,
        nobody: Arc<AtomicBool>,
    }

    static LISTENERS: Mutex<Option<Listeners>> = Mutex::new(None);

    /// The signals, which are heard from now on: until the listener is counted, they do what they do by default too.
    fn listened() -> io::Result<Signals> {
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Listeners { listened, .. }) = listeners.as_ref() {
            return Signals::new(listened);
        }
        let mut listened = vec![SIGINT, SIGTERM];
        listened.extend((!ignores_hang_up()).then_some(SIGHUP));
        let nobody = Arc::new(AtomicBool::new(true));
        for signal in &listened {
            flag::register_conditional_default(*signal, Arc::clone(&nobody))?;
        }
        let signals = Signals::new(&listened)?;
        *listeners = Some(Listeners { listened, alive: 0, nobody });
        Ok(signals)
    }

    /// Changes how many listen.
    fn count(changed: impl FnOnce(usize) -> usize) {
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Listeners { alive, nobody, .. }) = listeners.as_mut() {
            *alive = changed(*alive);
            nobody.store(*alive == 0, Ordering::SeqCst);
        }
    }

    /// Whether the program was started to ignore SIGHUP. Linux says so; elsewhere it does not.
    fn ignores_hang_up() -> bool {
        ignored(&std::fs::read_to_string("/proc/self/status").unwrap_or_default(), SIGHUP)
    }

    /// Whether a signal is in the mask `SigIgn` of a process.
    fn ignored(status: &str, signal: i32) -> bool {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn who_listens_hears_whoever_listened_before() {
            let hears = |interrupts: &crate::Interrupts| {
                signal_hook::low_level::raise(SIGTERM).unwrap();
                let began = std::time::Instant::now();
                while !interrupts.asked() && began.elapsed().as_secs() < 10 {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                interrupts.asked()
            };
            let first = crate::Interrupts::listen().unwrap();
            assert!(hears(&first));
            drop(first);
            let [second, third] = [(); 2].map(|()| crate::Interrupts::listen().unwrap());
            drop(second);
            assert!(hears(&third));
        }

        #[test]
        fn the_mask_tells_what_is_ignored() {
            let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000004002\n";
            assert!(ignored(status, SIGHUP) && !ignored(status, SIGINT) && !ignored("", SIGHUP));
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::Request;
    use std::io;
    use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

    type Heard = Mutex<Box<dyn FnMut(Request) + Send>>;

    /// Who is told of an interrupt. The one handler of the program stays for ever.
    static LISTENERS: Mutex<Vec<Weak<Heard>>> = Mutex::new(Vec::new());

    pub(super) struct Listener(#[allow(dead_code, reason = "it is there as long as this is")] Arc<Heard>);

    impl std::fmt::Debug for Listener {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Listener")
        }
    }

    impl Listener {
        pub(super) fn new(heard: impl FnMut(Request) + Send + 'static) -> io::Result<Self> {
            static HANDLER: OnceLock<Result<(), String>> = OnceLock::new();
            let handled = HANDLER.get_or_init(|| ctrlc::set_handler(tell).map_err(|error| error.to_string()));
            handled.clone().map_err(io::Error::other)?;
            let heard: Arc<Heard> = Arc::new(Mutex::new(Box::new(heard)));
            listeners().push(Arc::downgrade(&heard));
            Ok(Self(heard))
        }
    }

    fn listeners() -> std::sync::MutexGuard<'static, Vec<Weak<Heard>>> {
        LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell() {
        let alive: Vec<Arc<Heard>> = listeners().iter().filter_map(Weak::upgrade).collect();
        if alive.is_empty() {
            std::process::exit(128 + super::INTERRUPT);
        }
        for heard in alive {
            heard.lock().unwrap_or_else(PoisonError::into_inner)(Request::End(super::INTERRUPT));
        }
    }
}
