//! Every network by name.
