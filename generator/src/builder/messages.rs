//! Options on messages.
