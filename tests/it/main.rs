//! The product against real tools and real data.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod packages;
mod shared;
