public import KubernetesAPI

extension IntOrString {
    /// So many of `count`: the number, or the percentage of it, rounded down, but at least 1 where it is above 0%. Nil for what is
    /// neither a number from 0 on nor a percentage from 0% to 100%.
    public func share(of count: Int) -> Int? {
        switch self {
        case .int(let number): return number >= 0 ? number : nil
        case .string(let text):
            guard text.hasSuffix("%") else { return Int(text).flatMap { $0 >= 0 ? $0 : nil } }
            guard let percentage = Int(text.dropLast()), (0...100).contains(percentage) else { return nil }
            return percentage == 0 ? 0 : max(1, count * percentage / 100)
        }
    }
}
