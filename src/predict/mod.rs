//! Expression from images: patch features, models, and how far they can be trusted.
