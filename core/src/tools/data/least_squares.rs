//! Ordinary least squares by Givens rotations, row by row (Gentleman 1974, Applied Statistics algorithm AS 75).

/// A column is a mixture of the others when so small a share of its length is left beside them.
const COLLINEAR: f64 = 1e-10;

/// The fit so far, of predictors and outcome that are taken from their means.
pub struct LeastSquares {
    predictors: usize,
    /// Upper triangle, row by row, `predictors` wide.
    triangle: Vec<f64>,
    right: Vec<f64>,
    rows: u64,
    /// Squared lengths of the columns.
    lengths: Vec<f64>,
    /// Of what no predictor explains.
    rest: f64,
    /// Of the outcome itself.
    whole: f64,
}

/// A fit without its intercept.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub coefficients: Vec<f64>,
    /// Inverse of the predictors' cross products.
    pub inverse: Vec<Vec<f64>>,
    pub residual_squares: f64,
    pub total_squares: f64,
    pub rows: u64,
}

impl LeastSquares {
    pub fn new(predictors: usize) -> Self {
        Self {
            predictors,
            triangle: vec![0.0; predictors * predictors],
            right: vec![0.0; predictors],
            rows: 0,
            lengths: vec![0.0; predictors],
            rest: 0.0,
            whole: 0.0,
        }
    }

    pub fn add(&mut self, predictors: &mut [f64], mut outcome: f64) {
        let size = self.predictors;
        self.rows += 1;
        self.whole += outcome * outcome;
        for (length, value) in self.lengths.iter_mut().zip(&*predictors) {
            *length += value * value;
        }
        for row in 0..size {
            let value = predictors[row];
            if value == 0.0 {
                continue;
            }
            let corner = self.triangle[row * size + row];
            let length = corner.hypot(value);
            let (cosine, sine) = (corner / length, value / length);
            let triangle = self.triangle[row * size..(row + 1) * size].iter_mut();
            for (above, below) in triangle.zip(predictors.iter_mut()).skip(row) {
                (*above, *below) = (cosine * *above + sine * *below, cosine * *below - sine * *above);
            }
            let above = self.right[row];
            self.right[row] = cosine * above + sine * outcome;
            outcome = cosine * outcome - sine * above;
        }
        self.rest += outcome * outcome;
    }

    /// # Errors
    /// The number of a predictor that those before it determine, or that never changes.
    pub fn solve(&self) -> Result<Fit, usize> {
        let size = self.predictors;
        let at = |row: usize, column: usize| self.triangle[row * size + column];
        for column in 0..size {
            // Written so that a figure that is no number fails too.
            let independent = at(column, column).abs() > COLLINEAR * self.lengths[column].sqrt();
            if !independent {
                return Err(column);
            }
        }
        let mut coefficients = vec![0.0; size];
        for row in (0..size).rev() {
            let known: f64 = (row + 1..size).map(|column| at(row, column) * coefficients[column]).sum();
            coefficients[row] = (self.right[row] - known) / at(row, row);
        }
        // The triangle's inverse, column by column; then that times its transpose.
        let mut upper = vec![vec![0.0; size]; size];
        #[expect(clippy::needless_range_loop, reason = "rows and columns are both places in it")]
        for column in 0..size {
            upper[column][column] = 1.0 / at(column, column);
            for row in (0..column).rev() {
                let known: f64 = (row + 1..=column).map(|middle| at(row, middle) * upper[middle][column]).sum();
                upper[row][column] = -known / at(row, row);
            }
        }
        let inverse = (0..size)
            .map(|a| (0..size).map(|b| (a.max(b)..size).map(|k| upper[a][k] * upper[b][k]).sum()).collect())
            .collect();
        Ok(Fit { coefficients, inverse, residual_squares: self.rest, total_squares: self.whole, rows: self.rows })
    }
}
