# frozen_string_literal: true

# The engine without the layer on top: rows in, rows out, JSON as text. One exchange reports what was
# done and claims what comes next, in one transaction.

require "stepwell"

Stepwell::Engine.open("memory:") do |engine|
  engine.register(<<~YAML, source: "etl.yaml")
    stepwell: 1
    name: etl
    steps:
      - name: extract
      - name: transform
        after: [extract]
        retry: {max_attempts: 3, base_ms: 10}
      - name: load
        after: [transform]
  YAML
  rows = Array.new(100) { |number| { workflow: "etl", input_json: "{\"file\":#{number}}", key: "file-#{number}" } }
  engine.submit(rows)

  worker = engine.worker_open(handlers: %w[etl.extract etl.transform etl.load], name: "low level")
  outcomes = []
  exchanges = 0
  until outcomes.empty? && exchanges.positive?
    claims = engine.exchange(worker, outcomes, 1000, 0).claims
    outcomes = claims.map { |claim| [claim.step_id, claim.epoch, :succeeded, "\"#{claim.step} done\""] }
    exchanges += 1
  end
  engine.worker_close(worker)

  puts "#{engine.count(workflow: "etl")[:succeeded]} tasks in #{exchanges} exchanges"
  puts engine.list(limit: 1).first.then { |task| "#{task.key}: #{task.state}, #{task.step_counts}" }
end
