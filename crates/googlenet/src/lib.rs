//! GoogLeNet and the Inceptions.
