//! Gives values to the options that need another input than the usual one of their command.

/// How arrays become rows, over a dump of tokens kept as the bits of bfloat16.
const READING: [&str; 7] = [
    "--pool max",
    "--mask @/mask.npy",
    "--mask none",
    "--axes NDT",
    "--join never",
    "--order-file @/order.txt",
    "--bf16-bits",
];

/// Options that need another input than the usual one.
pub fn others(command: &str) -> Vec<(&'static str, Vec<&'static str>)> {
    let read = |base| (base, READING.to_vec());
    let of_tables = |base| (base, vec!["--squared"]);
    // Roots change no rank: without --squared these are refused, with it nothing tells them from others.
    let of_squares = (
        "--neighbours=@/near_squares --squared --k=5",
        vec!["--against @/near_others"],
    );
    match command {
        "id-profile" | "density-peaks" => {
            vec![read("@/seq --pool=mean"), of_tables("--neighbours=@/near")]
        }
        "landscape" => vec![
            read("@/seq --pool=mean --layers=0"),
            of_tables("--neighbours=@/near/a.npz"),
        ],
        "imbalance" => vec![read("@/seq --pool=mean"), of_squares],
        "overlap" => vec![read("@/seq --pool=mean --k=5"), of_squares],
        "similarity" => vec![read("@/seq --pool=mean")],
        "clones" => vec![read("@/seq --pool=mean --layers=0")],
        "dynamics" => vec![read("@/seq @/other --pool=mean")],
        "probe" => vec![read("@/seq --pool=mean --labels @/labels.txt")],
        "inspect" => vec![read("@/seq --pool=mean --scan")],
        "neighbours" => vec![read("@/seq --pool=mean -o @/tables#")],
        "report" => vec![read("@/seq --pool=mean -o @/page#.html")],
        "events" => vec![
            (
                "@/series.csv --run=r1 --scale=1 --other=x",
                vec![
                    "--quantity overlap",
                    "--variant mle",
                    "--scale 2",
                    "--other y",
                    "--run r2",
                ],
            ),
            (
                "@/series.csv --layer=l1 --scale=1 --other=x",
                vec!["--layer l2"],
            ),
            (
                "@/one_column.csv",
                vec![
                    "--quantity id",
                    "--variant mle",
                    "--scale 1",
                    "--other x",
                    "--run r1",
                    "--layer a",
                ],
            ),
        ],
        "correlate" => vec![(
            "@/few.csv --table @/loss.csv",
            vec![
                "--quantity overlap",
                "--variant mle",
                "--scale 2",
                "--other y",
                "--layer l1",
                "--run r2",
                "--by layer",
            ],
        )],
        _ => Vec::new(),
    }
}
