# frozen_string_literal: true

module Stepwell
  # How {Graph} and {Engine} draw: a format by name, and options that all pictures share.
  #
  # Formats are :svg (one self-contained file for light and dark pages), :mermaid and :dot (source
  # text for those programs), :json (with coordinates, for others that draw) and :text (for a
  # terminal). The same question has the same picture.
  module Pictures
    MARKS = { critical: 1, redundant: 2, slack: 4, durations: 8 }.freeze
    DIRECTIONS = { nil => 0, down: 1, right: 2 }.freeze
    FLAGS = { ascii: 1, color: 2, compact: 4 }.freeze
    private_constant :MARKS, :DIRECTIONS, :FLAGS

    # Where a node of a {Layout} stands: x and y of its middle, width, height, level.
    Place = Struct.new(:x, :y, :width, :height, :level)

    # Coordinates without a drawing: width, height, direction (:down or :right), crossings of lines,
    # places ({node => {Place}}), lines ({[from, to] => [[x, y], ...]}).
    Layout = Struct.new(:width, :height, :direction, :crossings, :places, :lines)

    # @api private
    def self.bits(names, given)
      names.sum do |name, bit|
        value = given.fetch(name, false)
        raise TypeError, "#{name} must be true or false" unless true.equal?(value) || false.equal?(value)

        value ? bit : 0
      end
    end

    # The arguments that the extension takes behind the format.
    #
    # @api private
    def self.arguments(title: nil, direction: nil, columns: 0, **given)
      unknown = given.keys - MARKS.keys - FLAGS.keys
      raise ArgumentError, "unknown keywords: #{unknown.join(", ")}" unless unknown.empty?

      { marks: bits(MARKS, given), rest: [title, way(direction), columns, bits(FLAGS, given)] }
    end

    # @api private
    def self.way(direction)
      raise TypeError, "direction must be a Symbol" unless nil.equal?(direction) || Symbol === direction

      DIRECTIONS.fetch(direction) do
        raise InvalidArgumentError, "direction is #{direction.inspect}, expected :down or :right"
      end
    end
  end

  # Pictures of tasks; {Engine} includes it.
  module TaskPictures
    # A task as it stands: states, and how long the attempts of each step have run.
    #
    # @param task [Task, String] a task or its UUID
    # @param format [Symbol] :svg, :mermaid, :dot, :json or :text
    # @param options [Hash] critical: mark the path that decides the end, by measured times and the
    #   median of earlier tasks; slack: show how much later steps may end; redundant: mark
    #   dependencies that follow from others; durations: show what paths are reckoned with;
    #   direction: :down or :right; title: instead of the workflow's name; and for :text columns
    #   (80), ascii, color
    # @return [String]
    # @raise [NotFoundError]
    # @raise [LimitError] it is too large, or too wide for the columns
    # @raise [InvalidArgumentError] a format or direction that is none
    def picture(task, format: :svg, **options)
      given = Pictures.arguments(**options)
      native_picture(task_id_of(task), format, given[:marks], *given[:rest])
    end

    # The attempts of a task along a time line: one line per step, waiting and running apart.
    #
    # @param task [Task, String] a task or its UUID
    # @param format [Symbol] :svg, :json or :text
    # @param title [String, nil] instead of the workflow's name
    # @param columns [Integer] of :text, at most; 0: 80
    # @param width [Integer] of :svg, in pixels; 0: 960
    # @param flags [Hash] for :text: ascii, color (true or false)
    # @return [String]
    # @raise [NotFoundError]
    # @raise [InvalidArgumentError] a format that charts do not have
    def gantt(task, format: :svg, title: nil, columns: 0, width: 0, **flags)
      rest = Pictures.arguments(title: title, columns: columns, **flags)[:rest]
      native_gantt(task_id_of(task), format, title, columns, width, rest.last)
    end

    # What the steps of a workflow take, as far as its ended tasks tell.
    #
    # @param workflow [String, Class] name of a workflow, a {Workflow} class, or the UUID of a task
    # @param version [String, nil]
    # @param history [Integer] newest ended tasks to learn from, 1,000 at most; 0: 50
    # @return [Hash{String => StepDuration}] by step, in their order
    # @raise [NotFoundError]
    def durations(workflow, version: nil, history: 0)
      native_durations(definition_of(workflow, version).json, history).to_h { |row| [row.name, row] }.freeze
    end
  end
end
