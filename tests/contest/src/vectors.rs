//! Claims, right and wrong, with the verdict on each.
