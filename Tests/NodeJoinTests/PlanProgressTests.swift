import NestboxAPI
import Testing

@testable import NodeJoin

struct PlanProgressTests {
    private let failure = StepFailure(kind: .failed, message: "no space left")
    private let refusal = StepFailure(kind: .refused, message: "another's machine")
    private let lost = StepFailure(kind: .unreachable, message: "broken pipe")

    private func progress(_ steps: Step...) -> PlanProgress { PlanProgress(plan: Plan(name: "Test", steps: steps)) }

    @Test func stepsThatAreDoneAreSkipped() {
        let (first, second) = (Step("A", check: "a", actions: []), Step("B", check: "b", actions: []))
        var progress = progress(first, second)
        #expect(progress.start(at: "t0") == .check(first))
        #expect(progress.statuses == [StepStatus(name: "A", state: .running, startedAt: "t0"), StepStatus(name: "B", state: .pending)])
        #expect(progress.next(after: .checked(true), at: "t1") == .check(second))
        #expect(progress.next(after: .checked(false), at: "t2") == .perform(second))
        #expect(progress.next(after: .performed, at: "t3") == .finish(.succeeded))
        #expect(
            progress.statuses == [
                StepStatus(name: "A", state: .succeeded, startedAt: "t0", finishedAt: "t1"),
                StepStatus(name: "B", state: .succeeded, startedAt: "t1", finishedAt: "t3"),
            ])
    }

    @Test func aFailureIsUndoneAndTriedAgainFromItsCheck() {
        let step = Step("A", check: "a", actions: [], undo: "u", retry: RetryRule(attempts: 3, delay: .seconds(2)))
        var progress = progress(step)
        #expect(progress.start(at: "") == .check(step))
        #expect(progress.next(after: .checked(false), at: "") == .perform(step))
        #expect(progress.next(after: .failed(failure), at: "") == .undo(step))
        #expect(progress.statuses[0].message == "no space left")
        #expect(progress.statuses[0].state == .running)
        #expect(progress.next(after: .undone, at: "") == .pause(.seconds(2)))
        #expect(progress.next(after: .paused, at: "") == .check(step))
        #expect(progress.next(after: .checked(false), at: "") == .perform(step))
        // An undo that fails hides nothing.
        #expect(progress.next(after: .failed(failure), at: "") == .undo(step))
        #expect(progress.next(after: .failed(StepFailure(kind: .failed, message: "undo")), at: "") == .pause(.seconds(4)))
        #expect(progress.next(after: .paused, at: "") == .check(step))
        #expect(progress.next(after: .checked(false), at: "") == .perform(step))
        #expect(progress.next(after: .failed(failure), at: "") == .undo(step))
        #expect(progress.next(after: .undone, at: "t") == .finish(.failed(step: "A", failure)))
        #expect(progress.statuses[0] == StepStatus(name: "A", state: .failed, startedAt: "", finishedAt: "t", message: "no space left"))
    }

    @Test func aRefusalEndsThePlanAtOnce() {
        let step = Step("A", actions: [], undo: "u")
        var progress = progress(step, Step("B", actions: []))
        #expect(progress.start(at: "") == .perform(step))
        #expect(progress.next(after: .failed(refusal), at: "") == .finish(.failed(step: "A", refusal)))
        #expect(progress.statuses[1].state == .pending)
    }

    @Test func aBrokenConnectionIsNotUndoneButLookedAtAgain() {
        let step = Step("A", check: "a", actions: [], undo: "u")
        var progress = progress(step)
        _ = progress.start(at: "")
        #expect(progress.next(after: .checked(false), at: "") == .perform(step))
        #expect(progress.next(after: .failed(lost), at: "") == .pause(.seconds(2)))
        #expect(progress.next(after: .paused, at: "") == .check(step))
        // It was done, only nobody heard.
        #expect(progress.next(after: .checked(true), at: "") == .finish(.succeeded))
        #expect(progress.statuses[0].message == "done at attempt 2, after: broken pipe")
    }

    @Test func attemptsCountEachStepForItself() {
        let (first, second) = (Step("A", actions: [], retry: RetryRule(attempts: 2)), Step("B", actions: [], retry: RetryRule(attempts: 2)))
        var progress = progress(first, second)
        _ = progress.start(at: "")
        #expect(progress.next(after: .failed(failure), at: "") == .pause(.seconds(2)))
        #expect(progress.next(after: .paused, at: "") == .perform(first))
        #expect(progress.next(after: .performed, at: "") == .perform(second))
        #expect(progress.next(after: .failed(failure), at: "") == .pause(.seconds(2)))
    }

    @Test func anEmptyPlanIsDone() {
        var progress = progress()
        #expect(progress.start(at: "") == .finish(.succeeded))
    }

    @Test func delaysGrowToABound() {
        let rule = RetryRule(attempts: 100, delay: .seconds(2))
        #expect([1, 2, 3, 4, 5, 99].map(rule.delay(afterAttempt:)) == [2, 4, 8, 16, 30, 30].map { .seconds($0) })
    }
}

struct MachineWordsTests {
    @Test(arguments: [
        ("", ""), ("  plain \n", "plain"), ("two\nlines\r\n\tand a tab", "two lines and a tab"),
        ("\u{1b}[31mred\u{1b}[0m \u{07}bell", "red bell"), ("right\u{202e}left", "rightleft"), ("zero\u{200b}width", "zerowidth"),
        ("\u{1b}]0;title\u{07}x", "]0;title x"), ("non\u{a0}breaking", "non breaking"), ("Grüße, 世界", "Grüße, 世界"),
        ("cut \u{1b}[31", "cut"),
    ])
    func wordsAreFitToBeShown(_ said: String, _ shown: String) {
        #expect(MachineWords.cleaned(said) == shown)
    }

    @Test func longWordsKeepTheirEnd() {
        let shown = MachineWords.cleaned(String(repeating: "x", count: 10_000) + " the error")
        #expect(shown.count == 500)
        #expect(shown.hasPrefix("...x") && shown.hasSuffix(" the error"))
    }
}
