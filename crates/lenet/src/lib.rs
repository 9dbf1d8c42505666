//! LeNet and its relatives.
