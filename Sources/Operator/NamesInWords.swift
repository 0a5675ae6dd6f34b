extension Collection<String> {
    /// `a, b and 3 more`: the first of them, for a sentence that has to stay one.
    func inWords(most: Int) -> String {
        prefix(most).joined(separator: ", ") + (count > most ? " and \(count - most) more" : "")
    }
}
