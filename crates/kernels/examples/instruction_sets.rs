//! Prints the instruction sets this CPU has, widest first.

use cnn_kernels::InstructionSet;

fn main() {
    InstructionSet::ALL.into_iter().filter(|set| set.available()).for_each(|set| println!("{set}"));
}
