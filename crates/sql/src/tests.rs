//! The front as a whole: scripts in, errors with places or plans out.

mod answers;
mod ddl;
mod errors;
mod hostile;
mod jobs;
mod world;
