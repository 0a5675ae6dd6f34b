import Foundation
import KubernetesAPI
import Testing

@testable import Operator

@Suite("CleaningPatience")
struct CleaningPatienceTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    static func isFalse(_ type: String, forSeconds age: TimeInterval) -> Condition {
        Condition(
            type: type, status: "False", reason: "Test", message: "", lastTransitionTime: Timestamp.format(now.addingTimeInterval(-age)))
    }

    @Test(arguments: [
        (conditions: [isFalse("Clean", forSeconds: 700), isFalse("Reachable", forSeconds: 601)], isOver: true),
        ([isFalse("Clean", forSeconds: 700), isFalse("Reachable", forSeconds: 590)], false),
        // A blip of long ago does not count.
        ([isFalse("Clean", forSeconds: 5), isFalse("Reachable", forSeconds: 90_000)], false),
        ([isFalse("Clean", forSeconds: 90_000)], false),
        ([isFalse("Reachable", forSeconds: 90_000)], false),
        ([], false),
    ])
    func decides(conditions: [Condition], isOver: Bool) {
        #expect(CleaningPatience(conditions).isOver(at: Self.now) == isOver)
    }
}
