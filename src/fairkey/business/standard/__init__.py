"""FK-AF-1, when a code counts as invalid and what follows: versioned data, and the pure functions that read it.

`library` knows the versions, `table` their shape, `truth` what facts show, `deciding` which row decides, `differing`
what changed between two versions. No function names a row: rows are data.
"""
