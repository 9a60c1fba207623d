//! Numbers without anatomy or genes: small dense linear algebra behind one door.
