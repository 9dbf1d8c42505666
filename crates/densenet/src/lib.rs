//! DenseNet.
