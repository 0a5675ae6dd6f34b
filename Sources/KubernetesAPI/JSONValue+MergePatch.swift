extension JSONValue {
    /// The merge patch (RFC 7396) that makes `target` of this value: what is gone is null in it. Nil when nothing is to be changed.
    public func mergePatch(to target: JSONValue) -> JSONValue? {
        guard case .object(let old) = self, case .object(let new) = target else { return self == target ? nil : target }
        var patch: [String: JSONValue] = [:]
        for key in old.keys where new[key] == nil { patch[key] = .null }
        for (key, value) in new { patch[key] = old[key].map { $0.mergePatch(to: value) } ?? value }
        return patch.isEmpty ? nil : .object(patch)
    }
}
