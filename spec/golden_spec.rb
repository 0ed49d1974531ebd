# frozen_string_literal: true

require_relative "spec_helper"

# Plays the golden scenarios (tests/golden/README.md) on both stores through the low level.
RSpec.describe "golden scenarios" do
  # One run of one scenario.
  class GoldenPlayer
    include RSpec::Matchers

    def initialize(engine, scenario)
      @engine = engine
      @scenario = scenario
      @workers = {}
      @tasks = {}
      @claims = {} # [worker, task, step] => the last claim
      @held = Hash.new { |held, worker| held[worker] = {} } # worker => step_id => claim
    end

    def play
      @engine.register(@scenario.fetch("workflow"))
      @scenario.fetch("script").each_with_index do |operation, index|
        perform(operation)
      rescue RSpec::Expectations::ExpectationNotMetError, Stepwell::Error => e
        raise e.class, "operation #{index} #{JSON.generate(operation)}: #{e.message}", e.backtrace
      end
      check_final
      check_transitions
      expect(@engine.audit_verify.ok).to be(true)
    end

    private

    VERBS = %w[append events list breaker open submit exchange update heartbeat work renew close cancel override dead prune explain sleep_ms].freeze

    def perform(operation)
      verb = VERBS.find { |name| operation.key?(name) } || raise("unknown operation #{operation}")
      failing(operation["error"]) { send(:"play_#{verb}", operation) }
    end

    def failing(error, &block)
      return block.call unless error

      expect(&block).to raise_error(Stepwell.const_get(error))
    end

    def play_open(operation)
      @workers[operation["open"]] = @engine.worker_open(
        handlers: operation["handlers"] || handlers, name: operation["open"], lease_ms: operation["lease_ms"]
      )
    end

    def handlers
      name = @scenario["workflow"]["name"]
      @scenario["workflow"]["steps"].map { |step| step["handler"] || "#{name}.#{step["name"]}" }.uniq
    end

    def play_submit(operation)
      row = { workflow: @scenario["workflow"]["name"], key: operation["key"], priority: operation["priority"],
              deadline_ms: operation["deadline_ms"], tags: operation["tags"],
              parent: @tasks[operation["parent"]] }
      row[:input_json] = Stepwell::Payload.dump(operation["input"]) if operation.key?("input")
      answer = @engine.submit([row.compact]).first
      expect(answer.created).to eq(operation["created"]) if operation.key?("created")
      expect(answer.task_id).to eq(@tasks.fetch(operation["same_as"])) if operation.key?("same_as")
      @tasks[operation["submit"]] = answer.task_id
    end

    def play_exchange(operation)
      worker = operation["exchange"]
      rows = reports(operation["report"] || [], worker)
      answer = exchange(worker, rows, operation["claim"] || 0, operation["wait_ms"] || 0)
      check_applied(answer.applied, operation)
      expect(answer.claims.map(&:step)).to eq(operation["claims"]) if operation.key?("claims")
      return unless operation.key?("finished")

      expect(answer.finished.map { |row| @tasks.key(row.task_id) }).to match_array(operation["finished"])
    end

    def exchange(worker, rows, claim_max, wait_ms)
      answer = @engine.exchange(@workers.fetch(worker), rows, claim_max, wait_ms)
      answer.applied.each { |row| @held[worker].delete(row.step_id) }
      answer.claims.each do |claim|
        @claims[[worker, claim.task_id, claim.step]] = claim
        @held[worker][claim.step_id] = claim
      end
      answer
    end

    def play_update(operation)
      check_applied(@engine.update_batch(reports(operation["update"], nil)), operation)
    end

    def play_heartbeat(operation)
      rows = operation["heartbeat"].map do |row|
        claim = @claims.fetch([row["claim_of"], @tasks.fetch(row["task"] || "t1"), row["step"]])
        [claim.step_id, claim.epoch]
      end
      check_applied(@engine.heartbeat(rows), operation)
    end

    def check_applied(applied, operation)
      expect(applied.map { |row| row.status.to_s }).to eq(operation["applied"]) if operation.key?("applied")
    end

    def reports(rows, worker)
      rows.map do |row|
        task = @tasks.fetch(row["task"] || "t1")
        claim = @claims.fetch([row["claim_of"] || worker || @workers.keys.first, task, row["step"]])
        result = Stepwell::Payload.dump(row["result"]) if row.key?("result")
        [claim.step_id, claim.epoch, row["outcome"].to_sym, result, row["error"], row["message"], nil,
         row["retry_after_ms"]]
      end
    end

    def play_work(operation)
      task = @tasks.fetch(operation["until"])
      rows = []
      Timeout.timeout(30) do
        until rows.empty? && @engine.get(task).ended?
          claims = exchange(operation["work"], rows, 10, rows.empty? ? 100 : 0).claims
          rows = claims.map { |claim| [claim.step_id, claim.epoch, :succeeded, JSON.generate({ step: claim.step })] }
        end
      end
    end

    def play_renew(operation)
      held = @held[operation["renew"]]
      lost = @engine.worker_renew(@workers.fetch(operation["renew"]), held.values.map { |row| [row.step_id, row.epoch] })
      expect(lost.map { |step_id, _| held.fetch(step_id).step }).to match_array(operation["lost"] || [])
    end

    def play_close(operation)
      @engine.worker_close(@workers.fetch(operation["close"]))
      @held.delete(operation["close"])
    end

    def play_cancel(operation)
      @engine.cancel([[@tasks.fetch(operation["cancel"]), operation["actor"], operation["reason"]]])
    end

    # The tasks that are gone are the ones it names.
    def play_prune(operation)
      there = @tasks.select { |_, id| there?(id) }.keys
      @engine.prune(older_than: -1, states: operation["states"]&.map(&:to_sym), actor: operation["actor"],
                    reason: operation["reason"])
      expect(there.reject { |name| there?(@tasks[name]) }).to eq(operation["prune"])
    end

    def there?(id)
      @engine.get(id)
    rescue Stepwell::NotFoundError
      nil
    end

    def play_override(operation)
      rows = operation["override"].map do |row|
        step = @engine.get(@tasks.fetch(row["task"] || "t1")).step(row["step"])
        result = row.key?("result") ? [JSON.generate(row["result"])] : []
        [step.step_id, row["state"].to_sym, operation["actor"], operation["reason"], *result]
      end
      check_applied(@engine.override(rows, (operation["mode"] || "all_or_nothing").to_sym), operation)
    end

    def play_dead(operation)
      filter = operation["dead"].transform_keys(&:to_sym)
      if operation.key?("to")
        result = operation.key?("result") ? JSON.generate(operation["result"]) : nil
        letters, changed = @engine.dead_override(operation["to"], operation["actor"], operation["reason"], result, **filter)
        check_applied(changed, operation)
      else
        letters = @engine.dead_list(**filter)
      end
      found = letters.map { |row| "#{@tasks.key(row.task_id)} #{row.step} #{row.error_class}" }
      expect(found).to eq(operation["letters"])
    end

    def play_breaker(operation)
      if operation.key?("to")
        row = [operation["breaker"], operation["to"].to_sym, operation["actor"], operation["reason"], operation["open_ms"]]
        @engine.breaker_override([row])
      end
      row = @engine.breaker_list.find { |breaker| breaker.name == operation["breaker"] }
      expect(row.state.to_s).to eq(operation["state"])
    end

    def play_append(operation)
      rows = operation["append"].map do |row|
        data = row.key?("data") ? JSON.generate(row["data"]) : nil
        [@tasks.fetch(row["task"] || "t1"), row["type"], data, row["expected_version"], row["key"]]
      end
      answers = @engine.event_append(rows, (operation["mode"] || "all_or_nothing").to_sym)
      expect(answers.map { |row| row.status.to_s }).to eq(operation["statuses"])
      expect(answers.map(&:version)).to eq(operation["versions"])
    end

    def play_events(operation)
      filter = operation["events"].transform_keys(&:to_sym)
      filter[:task_id] = @tasks.fetch(operation["task"]) if operation.key?("task")
      found = @engine.event_list(**filter).map { |row| [row.position, row.type, row.data_json].compact.join(" ") }
      expect(found).to eq(operation["found"])
    end

    def play_list(operation)
      filter = operation["list"].transform_keys(&:to_sym)
      %i[parent before].each { |name| filter[name] = @tasks.fetch(filter[name]) if filter.key?(name) }
      found = @engine.list(**filter).map { |row| @tasks.key(row.task_id) }
      expect(found).to eq(operation["found"])
      return if filter.key?(:before) || filter.key?(:limit)

      expect(@engine.count(**filter).values.sum).to eq(found.size)
    end

    def play_explain(operation)
      rows = @engine.explain(@tasks.fetch(operation["task"] || "t1"), operation["explain"])
      expect(rows.map { |row| row.reason.to_s }).to eq(operation["reasons"])
    end

    def play_sleep_ms(operation)
      sleep(operation["sleep_ms"] / 1000.0)
    end

    def check_final
      @scenario.fetch("final").each do |name, expected|
        task = @engine.get(@tasks.fetch(name))
        expect(task.state.to_s).to eq(expected["state"]) if expected.key?("state")
        (expected["steps"] || {}).each { |step, fields| check_step(task.step(step), step, fields) }
      end
    end

    def check_step(row, name, fields)
      found = { "state" => row.state.to_s, "attempt" => row.attempt, "result" => row.result,
                "error_class" => row.error_class }
      expect([name, found.slice(*fields.keys)]).to eq([name, fields])
    end

    def check_transitions
      (@scenario["transitions"] || {}).each do |name, expected|
        moves = @engine.audit_task(@tasks.fetch(name)).select { |entry| entry.kind == :step_changed }
        expect(moves.map { |entry| "#{entry.step} #{entry.from}>#{entry.to} #{entry.attempt}" }).to eq(expected)
      end
    end
  end

  scenarios = Dir[File.join(ROOT, "tests/golden/*.json")]
  it("are there") { expect(scenarios).not_to be_empty }

  scenarios.each do |path|
    scenario = JSON.parse(File.read(path))
    STORES.each do |store|
      it "#{scenario.fetch("name")} on #{store}" do
        GoldenPlayer.new(open_engine(store), scenario).play
      end
    end
  end
end
