//! Everything the exported functions share: the door, handles, places for results, callbacks, strings, memory
//! from `malloc`, the last error.

mod answer;
pub(crate) mod callback;
pub(crate) mod cenum;
pub(crate) mod cstruct;
mod door;
mod handle;
pub(crate) mod last_error;
mod out;
pub(crate) mod strings;
mod target;

pub(crate) use answer::{Answer, clamped};
pub(crate) use callback::Callback;
pub(crate) use cstruct::{List, Malloced};
pub(crate) use door::{Held, Mode, Quick, Target, Waiting, on};
pub(crate) use handle::{Owned, Shared};
pub(crate) use out::{Buffer, Out, OutList, OutStruct, Wanted, copy_whole};
pub(crate) use strings::{bytes, c_pointer, copied, given, non_empty, payload};
pub(crate) use target::{AnyProcess, Released, Taken};
