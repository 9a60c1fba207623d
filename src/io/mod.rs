//! Files in, files out; nothing else touches a file.
