require 'set'

module App
  LONGEST = 60

  # Keeps jobs.
  class Queue < Base
    attr_reader :jobs

    # Takes one.
    def lease(n)
      @jobs[n]
    end

    def self.open(path)
      new(path)
    end

    class << self
      def build
        new
      end
    end
  end
end

describe Queue do
  it "leases" do
    expect(1).to eq(1)
  end
end
