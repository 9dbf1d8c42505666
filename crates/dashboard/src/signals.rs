//! Signals that would end the program with the terminal still taken.

#[cfg(not(unix))]
pub(crate) use other::Signals;
#[cfg(unix)]
pub(crate) use unix::Signals;

#[cfg(unix)]
mod unix {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// What has been signalled. Once dropped, the signals do again what they do by default.
    #[derive(Debug)]
    pub(crate) struct Signals {
        interrupt: Arc<AtomicBool>,
        ends: [(i32, Arc<AtomicBool>); 2],
        over: Arc<AtomicBool>,
    }

    impl Signals {
        pub(crate) fn new() -> io::Result<Self> {
            let signals = Self {
                interrupt: Arc::default(),
                ends: [SIGTERM, SIGHUP].map(|signal| (signal, Arc::default())),
                over: Arc::default(),
            };
            let all = signals.ends.iter().map(|(signal, flag)| (*signal, flag)).chain([(SIGINT, &signals.interrupt)]);
            for (signal, flag) in all {
                // A handler is never taken off quite: this one stands back when the dashboard is over.
                flag::register_conditional_default(signal, Arc::clone(&signals.over))?;
                flag::register(signal, Arc::clone(flag))?;
            }
            Ok(signals)
        }

        /// Whether there was an interrupt since the last call.
        pub(crate) fn interrupted(&self) -> bool {
            self.interrupt.swap(false, Ordering::SeqCst)
        }

        /// Ends the program as the signal would have, after `before`, if there was one that asks for the end.
        pub(crate) fn obey(&self, before: impl FnOnce()) {
            if let Some((signal, _)) = self.ends.iter().find(|(_, flag)| flag.load(Ordering::SeqCst)) {
                before();
                let _ = signal_hook::low_level::emulate_default_handler(*signal);
            }
        }
    }

    impl Drop for Signals {
        fn drop(&mut self) {
            self.over.store(true, Ordering::SeqCst);
        }
    }
}

#[cfg(not(unix))]
mod other {
    /// Elsewhere an interrupt is a key, and nothing else is caught.
    #[derive(Debug)]
    pub(crate) struct Signals;

    impl Signals {
        pub(crate) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn interrupted(&self) -> bool {
            false
        }

        pub(crate) fn obey(&self, _: impl FnOnce()) {}
    }
}
