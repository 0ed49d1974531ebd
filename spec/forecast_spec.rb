# frozen_string_literal: true

require_relative "spec_helper"

# Engine#forecast and Task#forecast. What the numbers are is tested in C, on clocks that stand still;
# here it is that every word of the question arrives and every part of the answer comes back.
RSpec.describe "Forecasts" do
  STORES.each do |store|
    context "with the #{store} store" do
      let(:engine) { open_engine(store) }
      let(:steps) do
        { "fetch" => {}, "load" => { "after" => ["fetch"] }, "train" => { "after" => ["fetch"] },
          "report" => { "after" => %w[load train] } }
      end

      let(:handlers) { steps.keys.map { |step| "w.#{step}" } }

      # A task in which every claim of a batch takes the given seconds.
      def run_task(seconds)
        id = submit(engine, steps)
        until (rows = claim(engine, *handlers)).empty?
          rows.each do |row|
            sleep(seconds)
            engine.update_batch([[row.step_id, row.epoch, :succeeded]])
          end
        end
        id
      end

      it "says when a task ends, and how it knows" do
        3.times { run_task(0.002) }
        id = submit(engine, steps)
        forecast = engine.forecast(id)
        expect(forecast).to have_attributes(
          task_id: id, state: :pending, changed: false, step_count: 4, ended_count: 0, elapsed_us: 0,
          history_count: 3, draws: 200, workers_learnt: true, difference_us: [0, 0, 0]
        )
        expect(forecast.base).to have_attributes(state: :succeeded, never_count: 0, workers: 2, progress: 0.0)
        expect(forecast.base.left_us).to eq(forecast.base.left_us.sort)
        expect(forecast.base.left_us.first).to be > 6000
        expect(forecast.base.path).to eq(%w[fetch train report])
        expect(forecast.what_if).to eq(forecast.base)
        expect(forecast.eta).to eq(Time.at(0, forecast.now_us + forecast.base.left_us[1], :microsecond))
        expect(forecast.step(:load)).to have_attributes(
          name: "load", state: :pending, source: :step, sample_count: 3, runs: true, overdue: false
        )
        expect(forecast.step(:fetch).decides).to eq(1.0)
        expect(forecast.step("other")).to be_nil
        expect(forecast.calibration).to have_attributes(task_count: 3, trusted: false)
        expect(forecast.calibration.within_count).to be_between(0, 3)
        expect(engine.forecast(id).base.left_us).to eq(forecast.base.left_us)
      end

      it "says so when it knows nothing" do
        forecast = engine.forecast(submit(engine, steps))
        expect(forecast).to have_attributes(history_count: 0, workers_learnt: false)
        expect(forecast.steps.map(&:source).uniq).to eq([:default])
        expect(forecast.calibration).to have_attributes(task_count: 0, within_count: 0, error: 0.0, trusted: false)
        expect(Stepwell::DURATION_SOURCES).to eq(%i[ended step handler timeout default])
      end

      it "compares with changes" do
        task = engine.task(submit(engine, steps))
        late = task.forecast(slower: { load: 3 }, workers: 2)
        expect(late).to have_attributes(changed: true)
        expect(late.what_if.path).to eq(%w[fetch load report])
        expect(late.eta_what_if - late.eta).to be_within(0.001).of(60) # one worker: 240 s, two: 300 s
        expect(task.forecast(slower: { "load" => 0.5 }).difference_us[1]).to eq(-30_000_000)
        expect(task.forecast(resolve: %i[load train]).difference_us[1]).to eq(-120_000_000)
        expect(task.forecast(resolve: "load").difference_us[1]).to eq(-60_000_000)
        # report needs all of its dependencies to succeed, so that it is skipped as well
        expect(task.forecast(skip: "load").what_if).to have_attributes(
          state: :succeeded, never_count: 2, left_us: [120_000_000] * 3, p50_between_us: [120_000_000] * 2
        )
        failed = task.forecast(fail: :fetch)
        expect(failed.what_if).to have_attributes(state: :failed, never_count: 3)
        expect(failed.step(:load)).to have_attributes(runs: true, runs_what_if: false, decides_what_if: 0.0)
        expect(task.forecast(more_workers: 1).what_if.workers).to eq(2)
        one = task.forecast(workers: 4, resources: [[1, [:load, "train"]]])
        expect(one.difference_us[1]).to eq(0)
        expect(task.forecast(fail: nil, slower: nil, skip: nil, resolve: nil, workers: nil, resources: nil)).to have_attributes(changed: false)
      end

      it "takes how much work to put into it" do
        2.times { run_task(0) }
        id = submit(engine, steps)
        expect(engine.forecast(id, draws: 7, history: 1, calibrate: -1)).to have_attributes(
          draws: 7, history_count: 1, calibration: have_attributes(task_count: 0)
        )
      end

      it "answers for a task that has ended" do
        forecast = engine.task(run_task(0.001)).forecast
        expect(forecast).to have_attributes(state: :succeeded, ended_count: 4)
        expect(forecast.base).to have_attributes(state: :succeeded, left_us: [0, 0, 0], path: [], progress: 1.0)
        expect(forecast.step(:load)).to have_attributes(source: :ended, sample_count: 1, runs: false)
        expect(forecast.elapsed_us).to be > 3000
      end

      it "refuses what makes no sense, with the row" do
        id = submit(engine, steps)
        expect { engine.forecast(id, fail: "a", skip: "other") }
          .to raise_error(Stepwell::NotFoundError, /has no step 'a'/) { |error| expect(error.row).to eq(0) }
        expect { engine.forecast(id, fail: :load, slower: { load: 2 }) }
          .to raise_error(Stepwell::InvalidArgumentError, /changed twice/) { |error| expect(error.row).to eq(1) }
        expect { engine.forecast(id, slower: { load: Float::NAN }) }.to raise_error(Stepwell::InvalidArgumentError)
        expect { engine.forecast(id, resources: [[0, []]]) }.to raise_error(Stepwell::InvalidArgumentError)
        expect { engine.forecast(id, draws: 1_000_000) }.to raise_error(Stepwell::InvalidArgumentError)
        row = claim(engine, *handlers).first
        engine.update_batch([[row.step_id, row.epoch, :succeeded]])
        expect { engine.forecast(id, skip: :fetch) }.to raise_error(Stepwell::IllegalTransitionError)
        expect { engine.forecast("01a1fa53-a1dc-76ad-9ffc-eb15f6879603") }.to raise_error(Stepwell::NotFoundError)
      end

      it "refuses wrong types" do
        id = submit(engine, steps)
        [{ fail: 1 }, { fail: [nil] }, { skip: {} }, { slower: [] }, { slower: { load: "2" } }, { slower: { 1 => 2 } },
         { slower: { load: nil } }, { workers: 1.5 }, { draws: "7" }, { resources: {} }, { resources: [1] },
         { resources: [[1]] }, { resources: [[1, "load"]] }, { resources: [[1, [2]]] }].each do |options|
          expect { engine.forecast(id, **options) }.to raise_error(TypeError), options.inspect
        end
        expect { engine.forecast(id, other: 1) }.to raise_error(ArgumentError)
        expect { engine.forecast(id, workers: 2**40) }.to raise_error(RangeError)
      end
    end
  end
end
