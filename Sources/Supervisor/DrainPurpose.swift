/// What a worker is told to finish for.
public enum DrainPurpose: Equatable, Sendable {
    /// The server ends: nobody comes after.
    case stop
    /// A successor serves in its place.
    case replace
}
