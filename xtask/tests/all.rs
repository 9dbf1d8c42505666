//! The tests that need no process of their own, as one program: to link many takes longer than to run them.

mod bench;
mod calibrate;
mod command_line;
mod common;
mod convert;
mod damage;
mod docs;
mod explain;
mod export;
mod flags;
mod forward;
mod going_on;
mod judged_data;
mod not_over;
mod output;
mod pictures;
mod prepared;
mod resume;
mod run_folder;
mod single_images;
mod terminal;
mod test_time;
mod training;
mod verification;
mod way_out;
mod without_effect;
