//! A model of the time of a step.
