//! Decodes what a client sends, CSV bytes or typed rows, into raw rows.
//!
//! Sans-IO: takes any slice, keeps its own state, does no IO.
