//! Tables of a few thousand rows, and fits whose results are known.

use serde_json::{Value, json};

use super::World;
use crate::model::ChartKind;

/// 4,000 sales in three regions, with decimal commas, gaps and a currency.
fn sales(world: &World) -> Vec<(String, u32, Option<f64>)> {
    let mut csv = String::from("Date;Region;Units;Amount\n");
    let mut rows = Vec::new();
    for n in 0..4_000_u32 {
        let region = ["North", "South", "East"][(n % 3) as usize];
        let whole = n * 37 % 100_000;
        let written = format!("{},{:02} €", thousands(u64::from(whole)), n % 100);
        let amount: f64 = format!("{whole}.{:02}", n % 100).parse().unwrap();
        let amount = if n % 500 == 7 { None } else { Some(amount) };
        let written = if amount.is_some() { written } else { String::new() };
        csv.push_str(&format!("2026-{:02}-{:02};{region};{};\"{written}\"\n", n % 12 + 1, n % 28 + 1, n % 50));
        rows.push((region.to_owned(), n % 50, amount));
    }
    world.put("sales.csv", csv);
    rows
}

fn thousands(value: u64) -> String {
    if value < 1_000 { value.to_string() } else { format!("{}.{:03}", thousands(value / 1_000), value % 1_000) }
}

fn close(found: &Value, expected: f64, relative: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} for {expected}"));
    assert!((found - expected).abs() <= relative * expected.abs().max(1e-300), "{found} is not {expected}");
}

#[test]
fn groups_of_a_large_table_add_up() {
    let world = World::new();
    let rows = sales(&world);
    let output = world
        .call(
            "table_query",
            json!({
                "file": "sales.csv",
                "where": [{"column": "units", "op": ">=", "value": 10}, {"column": "Date", "op": "starts_with", "value": "2026-"}],
                "group_by": ["Region"],
                "aggregate": [{"fn": "count"}, {"column": "Amount", "fn": "sum"}, {"column": "Amount", "fn": "median"}],
                "sort": [{"by": "sum(Amount)", "descending": true}],
            }),
        )
        .unwrap();
    let data = output.data.unwrap();
    assert_eq!(data["columns"], json!(["Region", "count", "sum(Amount)", "median(Amount)"]));
    let mut last = f64::INFINITY;
    for row in data["rows"].as_array().unwrap() {
        let of_region: Vec<_> =
            rows.iter().filter(|(region, units, _)| json!(region) == row[0] && *units >= 10).collect();
        assert_eq!(row[1], of_region.len() as f64);
        let mut amounts: Vec<f64> = of_region.iter().filter_map(|row| row.2).collect();
        close(&row[2], amounts.iter().sum(), 1e-12);
        amounts.sort_by(f64::total_cmp);
        let middle = amounts.len() / 2;
        let median =
            if amounts.len() % 2 == 1 { amounts[middle] } else { (amounts[middle - 1] + amounts[middle]) / 2.0 };
        close(&row[3], median, 1e-12);
        assert!(row[2].as_f64().unwrap() <= last);
        last = row[2].as_f64().unwrap();
    }
    assert_eq!(data["rows"].as_array().unwrap().len(), 3);
    assert!(output.text.contains("decimal commas") && output.text.contains("Currency"), "{}", output.text);
}

#[test]
fn rows_are_selected_sorted_and_cut() {
    let world = World::new();
    let rows = sales(&world);
    let query = json!({"file": "sales.csv", "columns": ["Amount", "Region"], "limit": 3,
        "sort": [{"by": "Amount", "descending": true}]});
    let data = world.call("table_query", query).unwrap().data.unwrap();
    let mut amounts: Vec<f64> = rows.iter().filter_map(|row| row.2).collect();
    amounts.sort_by(f64::total_cmp);
    let best: Vec<f64> = amounts.iter().rev().take(3).copied().collect();
    let found: Vec<f64> = data["rows"].as_array().unwrap().iter().map(|row| row[0].as_f64().unwrap()).collect();
    assert_eq!((found, &data["matched"]), (best, &json!(4_000)));
    let empty =
        json!({"file": "sales.csv", "where": [{"column": "Amount", "op": "is_empty"}], "aggregate": [{"fn": "count"}]});
    assert_eq!(world.call("table_query", empty).unwrap().data.unwrap()["rows"], json!([[8.0]]));
    let said = world.refused("table_query", json!({"file": "sales.csv", "columns": ["Price"]}));
    assert!(said.contains("Date, Region, Units, Amount"), "{said}");
    let said =
        world.refused("table_query", json!({"file": "sales.csv", "aggregate": [{"column": "Region", "fn": "sum"}]}));
    assert!(said.contains("those are: Units, Amount"), "{said}");
    for odd in [json!({}), json!({"file": "a", "data": "b"}), json!({"file": "sales.csv", "group_by": ["Region"]})] {
        assert!(world.call("table_query", odd).is_err());
    }
}

#[test]
fn tables_of_every_form_are_understood() {
    let world = World::new();
    for (data, columns, rows) in [
        ("a,b\n1,x\n2,y\n", json!(["a", "b"]), json!([[1.0, "x"], [2.0, "y"]])),
        ("a\tb\n1\tx,z\n2\ty\n", json!(["a", "b"]), json!([[1.0, "x,z"], [2.0, "y"]])),
        ("sep=|\na|b\n1|x\n", json!(["a", "b"]), json!([[1.0, "x"]])),
        ("1,2\n3,4\n", json!(["column_1", "column_2"]), json!([[1.0, 2.0], [3.0, 4.0]])),
        ("a,a,\n1,2,3\n", json!(["a", "a_2", "column_3"]), json!([[1.0, 2.0, 3.0]])),
        ("n,code\n1,007\n", json!(["n", "code"]), json!([[1.0, "007"]])),
        (
            "[{\"a\":1,\"b\":\"x\"},{\"a\":null,\"c\":[1]}]",
            json!(["a", "b", "c"]),
            json!([[1.0, "x", null], [null, null, "[1]"]]),
        ),
        ("{\"rows\":[{\"a\":1}],\"n\":1}", json!(["a"]), json!([[1.0]])),
        ("{\"a\":1}\n{\"a\":2}\n", json!(["a"]), json!([[1.0], [2.0]])),
        ("a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n", json!(["a", "b"]), json!([["x\ny", "say \"hi\""]])),
    ] {
        let found = world.call("table_query", json!({ "data": data })).unwrap().data.unwrap();
        assert_eq!((&found["columns"], &found["rows"]), (&columns, &rows), "{data}");
    }
    let text = world.said("table_query", json!({"data": "x,y\na,\"1,234\"\nb,\"2,500\"\n"}));
    assert!(text.contains("Ambiguous numbers, please check: y (1,234 as 1234)"), "{text}");
    world.put("utf16.csv", "\u{feff}a;b\n1;\u{e4}\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    let found = world.call("table_query", json!({"file": "utf16.csv"})).unwrap().data.unwrap();
    assert_eq!(found["rows"], json!([[1.0, "\u{e4}"]]));
}

#[test]
fn a_column_is_described_as_by_hand() {
    let world = World::new();
    let data = "v,w\n2,a\n4,b\n4,a\n4,\n5,a\n5,c\n7,a\n9,b\n,a\n";
    let found = world.call("statistics", json!({ "data": data })).unwrap().data.unwrap();
    let v = &found["columns"]["v"];
    assert_eq!((&v["count"], &v["missing"], &v["min"], &v["max"]), (&json!(8), &json!(1), &json!(2.0), &json!(9.0)));
    close(&v["mean"], 5.0, 1e-12);
    close(&v["sd"], (32.0_f64 / 7.0).sqrt(), 1e-12);
    assert_eq!((&v["q1"], &v["median"], &v["q3"]), (&json!(4.0), &json!(4.5), &json!(5.5)));
    let w = &found["columns"]["w"];
    assert_eq!(
        (&w["distinct"], &w["top"][0], &w["missing"]),
        (&json!(3), &json!({"value": "a", "count": 5}), &json!(1))
    );
}

/// Longley's data, a hard test of least squares, with NIST's certified results (itl.nist.gov/div898/strd).
#[test]
fn a_regression_gives_the_certified_results() {
    let world = World::new();
    world.put(
        "longley.csv",
        "y,x1,x2,x3,x4,x5,x6\n60323,83.0,234289,2356,1590,107608,1947\n61122,88.5,259426,2325,1456,108632,1948\n\
         60171,88.2,258054,3682,1616,109773,1949\n61187,89.5,284599,3351,1650,110929,1950\n\
         63221,96.2,328975,2099,3099,112075,1951\n63639,98.1,346999,1932,3594,113270,1952\n\
         64989,99.0,365385,1870,3547,115094,1953\n63761,100.0,363112,3578,3350,116219,1954\n\
         66019,101.2,397469,2904,3048,117388,1955\n67857,104.6,419180,2822,2857,118734,1956\n\
         68169,108.4,442769,2936,2798,120445,1957\n66513,110.8,444546,4681,2637,121950,1958\n\
         68655,112.6,482704,3813,2552,123366,1959\n69564,114.2,502601,3931,2514,125368,1960\n\
         69331,115.7,518173,4806,2572,127852,1961\n70551,116.9,554894,4007,2827,130081,1962\n",
    );
    let x = ["x1", "x2", "x3", "x4", "x5", "x6"];
    let found = world.call("regression", json!({"file": "longley.csv", "y": "y", "x": x})).unwrap().data.unwrap();
    for (index, (coefficient, error)) in [
        (-3_482_258.634_595_82, 890_420.383_607_373),
        (15.061_872_271_373_3, 84.914_925_774_766_9),
        (-0.035_819_179_292_591_0, 0.033_491_007_772_243_2),
        (-2.020_229_803_816_83, 0.488_399_681_651_699),
        (-1.033_226_867_173_59, 0.214_274_163_161_675),
        (-0.051_104_105_653_580_7, 0.226_073_200_069_370),
        (1_829.151_464_613_55, 455.478_499_142_212),
    ]
    .into_iter()
    .enumerate()
    {
        close(&found["terms"][index]["coefficient"], coefficient, 1e-9);
        close(&found["terms"][index]["standard_error"], error, 1e-9);
    }
    close(&found["r_squared"], 0.995_479_004_577_296, 1e-12);
    close(&found["residual_sd"], 304.854_073_561_965, 1e-9);
    assert_eq!((&found["n"], &found["degrees_of_freedom"]), (&json!(16), &json!(9)));
}

#[test]
fn what_cannot_be_fitted_is_told() {
    let world = World::new();
    let fit = |data: &str, x: Value| world.call("regression", json!({"data": data, "y": "y", "x": x}));
    let line = fit("x,y\n1,3\n2,5\n3,7\n4,9\n,1\n", json!(["x"])).unwrap().data.unwrap();
    close(&line["terms"][0]["coefficient"], 1.0, 1e-12);
    close(&line["terms"][1]["coefficient"], 2.0, 1e-12);
    assert_eq!(line["n"], 4);
    let twice = fit("x,z,y\n1,2,3\n2,4,5\n3,6,8\n4,8,9\n5,10,12\n", json!(["x", "z"])).unwrap_err();
    assert!(twice.message.contains("z never changes or follows"), "{twice}");
    assert!(fit("x,y\n1,3\n1,5\n1,7\n1,9\n", json!(["x"])).unwrap_err().message.contains("never changes"));
    assert!(fit("x,y\n1,3\n2,5\n", json!(["x"])).unwrap_err().message.contains("only 2 rows"));
    assert!(fit("x,y\na,3\nb,5\n", json!(["x"])).unwrap_err().message.contains("not a column of numbers"));
    assert!(fit("x,y\n1,3\n2,5\n3,4\n4,4\n", json!(["y"])).is_err());
}

#[test]
fn parts_of_json_are_found() {
    let world = World::new();
    world.put("orders.json", r#"{"orders":[{"id":1,"total":9.5},{"id":2,"total":3}],"next":null}"#);
    let found = world.call("json_query", json!({"file": "orders.json", "path": "$.orders[*].total"})).unwrap();
    assert_eq!(found.data.unwrap()["values"], json!([9.5, 3]));
    let said = world.said("json_query", json!({"file": "orders.json", "path": "/order"}));
    assert!(said.contains("object with: next, orders") || said.contains("object with: orders, next"), "{said}");
    assert!(world.refused("json_query", json!({"data": "{", "path": "$"})).contains("no JSON"));
}

#[test]
fn a_chart_is_drawn_from_points_and_from_a_table() {
    let world = World::new();
    sales(&world);
    let table = json!({"kind": "bar", "title": "Sales", "table": {
        "query": {"file": "sales.csv", "group_by": ["Region"], "aggregate": [{"column": "Amount", "fn": "sum"}]},
        "x": "Region", "y": ["sum(Amount)"]}});
    let chart = world.call("draw_chart", table.clone()).unwrap().chart.unwrap();
    assert_eq!(
        (chart.kind, chart.categories, chart.series.len()),
        (ChartKind::Bar, ["East", "North", "South"].map(str::to_owned).to_vec(), 1)
    );
    assert_eq!(chart.series[0].points.len(), 3);
    let points = json!({"kind": "line", "title": "T", "series": [{"name": "a", "x": [1, 2.5], "y": [3, -4]}, {"name": "b", "y": [1]}]});
    let chart = world.call("draw_chart", points).unwrap().chart.unwrap();
    assert_eq!(chart.series[0].points, [(1.0, 3.0), (2.5, -4.0)]);
    for odd in [
        json!({"kind": "pie", "title": "T", "series": [{"name": "a", "y": [1]}]}),
        json!({"kind": "bar", "title": "T"}),
        json!({"kind": "bar", "title": "T", "categories": ["x"], "series": [{"name": "a", "y": [1, 2]}]}),
        json!({"kind": "bar", "title": "T", "series": [{"name": "a", "y": vec![1.0; 5_001]}]}),
        json!({"kind": "bar", "title": "T", "path": "x.svg", "series": [{"name": "a", "y": [1]}]}),
    ] {
        assert!(world.call("draw_chart", odd.clone()).is_err(), "{odd}");
    }
    assert_eq!(std::fs::read_dir(world.folder()).unwrap().count(), 1, "drawing writes nothing");
}

#[test]
fn a_saved_chart_is_well_formed_and_escapes_its_words() {
    let world = World::new();
    for (kind, series) in [
        ("bar", json!([{"name": "<a> & \"b\"", "y": [3, -1, 0]}, {"name": "c", "y": [1, 2, 3]}])),
        ("line", json!([{"name": "a", "x": [1e300, -1e300], "y": [1e-300, 1e300]}])),
        ("scatter", json!([{"name": "a", "y": [5]}])),
    ] {
        let arguments = json!({"path": "c.svg", "kind": kind, "title": "</svg><script>\u{1}", "x_label": "x & y", "series": series});
        let output = world.call("save_chart", arguments).unwrap();
        assert!(output.chart.is_some() && output.changed.starts_with("wrote c.svg"));
        let svg = world.text("c.svg");
        let mut reader = quick_xml::Reader::from_str(&svg);
        let mut depth = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(_) => depth += 1,
                quick_xml::events::Event::End(_) => depth -= 1,
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0);
        assert!(!svg.contains("<script") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    let arguments = json!({"path": "c.png", "kind": "bar", "title": "T", "series": [{"name": "a", "y": [1]}]});
    assert!(world.refused("save_chart", arguments).contains(".svg"));
}

#[test]
fn a_question_finds_its_table_its_figures_and_a_chart() {
    let world = World::new();
    let rows = sales(&world);
    world.put("people.csv", "name,age\nAda,36\nBob,41\n");
    world.put("package.json", "{\"name\": \"sales\", \"version\": 1}");
    let output = world.call("explore_table", json!({"question": "What are our sales by region?"})).unwrap();
    let data = output.data.unwrap();
    assert_eq!(data["columns"], json!(["Region", "count", "sum(Amount)", "mean(Amount)"]));
    assert_eq!((&data["file"], &data["total"]), (&json!("sales.csv"), &json!(4_000)));
    for row in data["rows"].as_array().unwrap() {
        let amounts: Vec<f64> =
            rows.iter().filter(|(region, ..)| json!(region) == row[0]).filter_map(|row| row.2).collect();
        close(&row[2], amounts.iter().sum(), 1e-12);
        close(&row[3], amounts.iter().sum::<f64>() / amounts.len() as f64, 1e-12);
    }
    let chart = output.chart.unwrap();
    assert_eq!(
        (chart.kind, chart.categories.len(), chart.title.as_str()),
        (ChartKind::Bar, 3, "sum of Amount by Region")
    );
    assert_eq!(json!(chart.series[0].points[0].1), data["rows"][0][2]);
    assert!(output.text.contains("most for ") && output.text.contains("people.csv"), "{}", output.text);

    let output = world.call("explore_table", json!({"question": "Units per month, from sales.csv"})).unwrap();
    assert_eq!(output.chart.as_ref().map(|chart| chart.kind), Some(ChartKind::Line));
    let data = output.data.unwrap();
    assert_eq!((&data["columns"][0], &data["columns"][2]), (&json!("month of Date"), &json!("sum(Units)")));
    assert_eq!((data["rows"].as_array().unwrap().len(), &data["rows"][0][0]), (12, &json!("2026-01")));
    let mean =
        world.call("explore_table", json!({"question": "average amount by region", "file": "sales.csv"})).unwrap();
    assert!(mean.chart.unwrap().title.starts_with("mean of Amount"));
    let people = world.said("explore_table", json!({"question": "How old are the people?"}));
    assert!(people.starts_with("people.csv: 2 rows"), "{people}");
    let none = World::new();
    let nothing = none.call("explore_table", json!({"question": "sales"})).unwrap();
    assert!(nothing.data.is_none() && nothing.text.contains("no table"), "{}", nothing.text);
    world.refused("explore_table", json!({"question": "sales", "file": "../sales.csv"}));
}
