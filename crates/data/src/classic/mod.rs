//! The classic files as their makers published them, from a folder.
//!
//! MNIST and Fashion-MNIST as IDX files (`train-images-idx3-ubyte` and its three companions, the dot of
//! `train-images.idx3-ubyte` allowed), CIFAR-10 as its binary version (`data_batch_1.bin` to `test_batch.bin`, in the
//! folder or in `cifar-10-batches-bin` below it). Each file may be packed with gzip (`….gz`).

mod cifar;
mod file;
mod idx;

pub use cifar::cifar10;
pub use idx::{fashion_mnist, mnist};
