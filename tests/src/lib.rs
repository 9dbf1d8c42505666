//! Laws over networks and readings; see the files beside this one.
