# frozen_string_literal: true

module Stepwell
  # A task as a portable file, away from its database: verify it, look at it, put it back to any entry of
  # the audit log about it, and play it on from there.
  #
  # @example
  #   task.export("order.task", checkpoint: engine.audit.seal(signer: "orders.key"))
  #
  #   file = Stepwell::TaskFile.read("order.task")
  #   file.verify(vkeys: "example.com/orders+0d5cfb1c+Aa...").level # => :signed
  #   file.task.explain
  #   file.task(at_entry: 4711).forecast(slower: { charge: 2 }).difference_us
  class TaskFile
    include Audit::Trust

    # @return [String] JSON
    attr_reader :text

    # @return [String, nil] name of the file, for messages
    attr_reader :source

    class << self
      include Audit::Trust

      # @param path [String, #to_path]
      # @return [TaskFile] nothing of it is looked at yet
      def read(path)
        new(File.read(path, encoding: Encoding::UTF_8), source: path(path).to_s)
      end

      # @api private
      def of(task, path, checkpoint)
        note = checkpoint && texts(checkpoint, :note).first
        new(task.engine.task_export(task.id, note, path(path)), source: path && path(path))
      end
    end

    # @param text [String]
    # @param source [String, nil] name of the file, for messages
    def initialize(text, source: nil)
      @text = text
      @source = source
    end

    # Recompute every proof, replay the entries and hold states and payloads against them: level
    # :integrity. With keys, the checkpoint in the file must be signed by one of them, and agree with
    # checkpoints given that are of the same size: level :signed; with anchors, also with what lies outside:
    # level :anchored. That no entry was left out it does not
    # show; {Audit#verify} of the whole log does.
    #
    # @param vkeys [String, AuditKey, Array]
    # @param checkpoints [String, AuditCheckpoint, Array]
    # @param anchors [String, AuditAnchor, Array] places that are read, or what was read there
    # @return [AuditReport]
    # @raise [AuditError] with #report: what is wrong, and what kind of change it looks like
    # @raise [InvalidArgumentError] it is no task file; the message has file:line:column
    def verify(vkeys: [], checkpoints: [], anchors: [])
      Engine.task_file_verify(text, source, notes(checkpoints), keys(vkeys), anchor_rows(anchors, vkeys))
    end

    # @return [Boolean] whether it verifies; {#verify} says more
    def verified?(**trust)
      verify(**trust).ok
    rescue AuditError
      false
    end

    # An engine in memory that has this task and nothing else, at the moment of the export or after an
    # entry. Its clock goes on from there; nothing that is done in it leaves the process. The file is
    # verified first, as far as that needs no key.
    #
    # @param at_entry [Integer, nil] number of an entry of the log
    # @yieldparam engine [Engine] closed when the block ends
    # @return [Engine, Object] the engine, or the value of the block
    # @raise [AuditError, InvalidArgumentError] it does not verify, or is no task file
    # @raise [NotFoundError] the task had no such entry
    def open(at_entry: nil)
      engine = Engine.task_file_open(text, source, at_entry)
      return engine unless block_given?

      begin
        yield engine
      ensure
        engine.close
      end
    end

    # @param at_entry [Integer, nil] as for {#open}
    # @return [Task] in an engine of its own
    def task(at_entry: nil)
      self.open(at_entry: at_entry).tasks.first
    end

    # @return [String]
    def inspect
      "#<Stepwell::TaskFile #{source || "#{text.bytesize} bytes"}>"
    end
  end
end
