//! ResNet.
