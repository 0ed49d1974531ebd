# frozen_string_literal: true

# Retries, an exception that is never retried, a branch that goes on without the one that failed,
# and what can be asked about a task. Keeps its task in orders.db in the current folder.

require "stepwell"

class CardNetworkDown < StandardError; end
class CardDeclined < StandardError; end

class OrderWorkflow < Stepwell::Workflow
  version "1.0.0"

  step :validate
  step :charge, after: :validate, timeout: 20,
                retries: { attempts: 5, wait: 0.1, backoff: :exponential, max: 60, jitter: 0.15 },
                retry_on: CardNetworkDown, discard_on: CardDeclined
  step :reserve, after: :validate, queue: :warehouse
  step :ship, after: %i[charge reserve]

  def validate(ctx)
    raise Stepwell::GiveUp, "an order needs items" if ctx.input[:items].empty?

    { total: ctx.input[:items].sum { |item| item[:price] } }
  end

  # The network is down for the first two attempts. The key is the same for all of them, so that a
  # payment service can tell a repetition from a second order.
  def charge(ctx)
    raise CardNetworkDown, "no route to the bank" if ctx.attempt < 3
    raise CardDeclined, "card #{ctx.input[:card]} was declined" if ctx.input[:card] == "expired"

    { payment: ctx.idempotency_key, amount: ctx.result(:validate)[:total] }
  end

  def reserve(ctx) = ctx.input[:items].map { |item| "shelf #{item[:price] % 10}" }

  def ship(ctx) = { from: ctx.result(:reserve), paid: ctx.result(:charge)[:amount] }
end

Stepwell.configure("orders.db")
items = [{ name: "difference engine", price: 990 }, { name: "punched cards", price: 21 }]
good = OrderWorkflow.start(items: items, card: "good", key: "order-1", initiator: "ada")
bad = OrderWorkflow.start(items: items, card: "expired", key: "order-2", initiator: "ada")

worker = Stepwell::Worker.new(workflows: [OrderWorkflow], threads: 2).start
[good, bad].each { |task| task.wait(timeout: 30) }
worker.stop

puts "#{good.status}: paid #{good.result(:ship)[:paid]} after #{good.step(:charge).attempt} attempts"
puts "#{bad.status}: #{bad.step(:charge).error_class}, reserved #{bad.result(:reserve).join(" and ")}"
puts bad.explain(:ship)
puts "the same order again is the same task: #{OrderWorkflow.start(items: items, card: "good", key: "order-1") == good}"
puts Stepwell.engine.audit_verify.message
