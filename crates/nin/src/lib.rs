//! Network in Network.
