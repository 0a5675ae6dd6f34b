import NIOHTTP1

/// The HTTP methods that the Kubernetes API knows.
public enum HTTPVerb: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"

    var method: HTTPMethod { HTTPMethod(rawValue: rawValue) }
}

/// What becomes of an object's dependents when it is deleted.
public enum DeletionPropagation: String, Sendable {
    case background = "Background"
    case foreground = "Foreground"
    case orphan = "Orphan"
}
