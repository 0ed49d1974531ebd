# frozen_string_literal: true

# The workflow of the demonstration: an order, declared here. Its money is handled in Ruby, by the
# methods below; its goods in Python (warehouse.py); its label and the message by built-in kinds.
#
#   ruby order.rb start   start a task and print its id
#   ruby order.rb work    be a worker until SIGTERM

require "stepwell"

class OrderWorkflow < Stepwell::Workflow
  class CardNetworkError < StandardError; end

  version "1.0.0"

  step :validate
  step :charge,  after: :validate, retry_on: CardNetworkError,
                 retries: { attempts: 5, wait: 0.4, backoff: :exponential, jitter: 0 }
  step :reserve, after: :validate, handler: "warehouse.reserve"
  step :pack,    after: %i[charge reserve], handler: "warehouse.pack"
  step :label,   after: :pack, kind: :create_file,
                 parameters: { path: "label.txt", content: "Order 42\nAda Lovelace\nLondon\n" }
  step :notify,  after: :label, kind: :command,
                 parameters: { command: "echo", args: ["order 42 is on its way"] }

  def validate(ctx)
    total = ctx.input[:items].sum { |item| item[:price] * item[:count] }
    { total: total, currency: "EUR" }
  end

  # The card network is down for the first two attempts. A real payment service would be given the
  # idempotency key, which is the same for every attempt.
  def charge(ctx)
    raise CardNetworkError, "the card network does not answer" if ctx.attempt < 3

    { charged: ctx.result(:validate)[:total], payment: "pay_#{ctx.idempotency_key[0, 13]}" }
  end
end

Stepwell.configure(ENV.fetch("STEPWELL_DB"))

case ARGV.first
when "start"
  items = [{ name: "difference engine", price: 990, count: 1 }, { name: "punched cards", price: 3, count: 7 }]
  puts OrderWorkflow.start(order_id: 42, items: items, key: "order-42", initiator: "ada").id
when "work"
  Stepwell::Worker.new(workflows: [OrderWorkflow], threads: 2, name: "ruby").run
else
  abort "usage: ruby order.rb start|work"
end
