//! The product against real tools and real data.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod extensions;
mod images;
mod packages;
mod shared;
mod tools;
mod walk;
