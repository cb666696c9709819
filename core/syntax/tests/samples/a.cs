using System;

namespace App.Queue
{
    /// <summary>Keeps jobs.</summary>
    [Serializable]
    public class Queue<T> : Base
    {
        public const int Longest = 60;
        private int count;

        public Queue(int n)
        {
            count = n;
        }

        public int Count { get; set; }

        /// <summary>Takes one.</summary>
        public async Task<T> Lease(int n)
        {
            int Local(int x)
            {
                var y = x;
                return y;
            }
            return default;
        }

        [Fact]
        public void Leases()
        {
            Run();
        }
    }

    public interface ILeaser
    {
        void Lease();
    }

    public delegate void Done(int n);
}
