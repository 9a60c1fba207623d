//! Panels: they read the session and send actions.
