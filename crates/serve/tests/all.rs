//! The tests that need no process of their own, as one program: to link many takes longer than to run them.

mod broadcast;
mod refusals;
mod running;
mod server;
