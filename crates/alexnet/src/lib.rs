//! AlexNet.
