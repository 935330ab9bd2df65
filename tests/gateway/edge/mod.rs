//! The HTTP edge: what is refused, and who may see what.

mod access;
mod addresses;
mod admission;
mod bodies;
mod every_route;
mod headers;
mod isolation;
mod metadata;
mod metrics;
mod operator;
mod searches;
mod wire;
