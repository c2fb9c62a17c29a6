//! Numbers that options accept.

use crate::error::{Result, Status};

/// The value, unless it is below 0.
pub(crate) fn not_negative(value: i64) -> Result<i64> {
    if value < 0 { Err(Status::InvalidArg.into()) } else { Ok(value) }
}

/// A number of bytes, from 0 up.
pub(super) fn byte_count(value: i32) -> Result<usize> {
    usize::try_from(value).map_err(|_| Status::InvalidArg.into())
}

/// The value, unless it is below 1.
pub(super) fn positive<T: PartialOrd + From<u8>>(value: T) -> Result<T> {
    if value < T::from(1) { Err(Status::InvalidArg.into()) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_lower_bound() {
        assert_eq!((not_negative(0).ok(), not_negative(-1).ok()), (Some(0), None));
        assert_eq!((byte_count(0).ok(), byte_count(i32::MAX).ok()), (Some(0), Some(i32::MAX as usize)));
        assert_eq!(byte_count(-1).unwrap_err().status(), Status::InvalidArg);
        assert_eq!((positive(1).ok(), positive(0).ok(), positive(i64::MIN).ok()), (Some(1), None, None));
    }
}
