//! The classic files as their makers published them, from a folder.
//!
//! MNIST and Fashion-MNIST as IDX files (`train-images-idx3-ubyte` and its three companions, the dot of
//! `train-images.idx3-ubyte` allowed), CIFAR-10 and CIFAR-100 as their binary versions (`data_batch_1.bin` to
//! `test_batch.bin`, `train.bin` and `test.bin`, in the folder or in `cifar-10-batches-bin` or `cifar-100-binary` below it). Each file may be packed with gzip (`….gz`).

mod cifar;
mod file;
mod idx;

pub use cifar::{cifar10, cifar100};
pub use idx::{fashion_mnist, mnist};
