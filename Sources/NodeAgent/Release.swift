/// The release that this binary is of.
public enum Release {
    public static let version = "v0.2.0"
}
