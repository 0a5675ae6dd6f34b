import Testing

/// One at a time: they share the name of a lab, and the computer's cores.
@Suite("In the lab", .serialized)
enum InTheLab {}
