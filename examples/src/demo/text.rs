//! The demonstration as a person sees it.

use std::io::{self, Write};

use super::Audience;
use super::ladder;
use super::moment::{Agreement, Field, Moment, Packet, Scene, Setting, Stage, Table, Throughput, Verdict};
use super::paint::{self, paint};

/// Width of the page in columns.
const WIDTH: usize = 76;
/// Octets on one line of a packet.
const OCTETS_A_LINE: usize = 12;

/// Shows the demonstration as text with colours; wrap the stream in [`anstream::AutoStream`] to have the colours only on a terminal.
#[derive(Debug)]
pub struct TextAudience<W> {
    out: W,
    scene: Option<Scene>,
    /// The arrows have not been explained yet.
    legend_due: bool,
}

impl<W: Write> TextAudience<W> {
    /// An audience that reads from `out`.
    pub const fn new(out: W) -> Self {
        Self { out, scene: None, legend_due: true }
    }

    /// The stream, with everything shown so far written to it.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Audience for TextAudience<W> {
    fn show(&mut self, moment: &Moment) -> io::Result<()> {
        let out = &mut self.out;
        match moment {
            Moment::Scene(scene) => {
                draw_scene(out, scene)?;
                self.scene = Some(scene.clone());
            }
            Moment::Stage(stage) => draw_stage(out, stage)?,
            Moment::Note { text } => {
                for line in wrap(text, WIDTH) {
                    writeln!(out, "  {line}")?;
                }
            }
            Moment::Settings { rows } => draw_settings(out, rows)?,
            Moment::LadderBegins => {
                if let Some(scene) = &self.scene {
                    out.write_all(ladder::head(scene).as_bytes())?;
                }
            }
            Moment::Message(message) => out.write_all(ladder::arrow(message).as_bytes())?,
            Moment::Fact(fact) => out.write_all(ladder::fact(fact).as_bytes())?,
            Moment::LadderEnds => {
                out.write_all(ladder::foot().as_bytes())?;
                if std::mem::take(&mut self.legend_due) {
                    let legend = "──▶ in clear   ══▶ {encrypted} IKE   ━━▶ {encrypted} ESP   ✗ lost";
                    writeln!(out, "            {}", paint(paint::FAINT, legend))?;
                }
                writeln!(out)?;
            }
            Moment::Table(table) => draw_table(out, table)?,
            Moment::Packet(packet) => draw_packet(out, packet)?,
            Moment::Throughput(throughput) => draw_throughput(out, throughput)?,
            Moment::Verdict(verdict) => draw_verdict(out, verdict)?,
        }
        out.flush()
    }
}

fn draw_scene(out: &mut impl Write, scene: &Scene) -> io::Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "  {}   {}",
        paint(paint::TITLE, "Two IPsec gateways in one process"),
        paint(
            paint::FAINT,
            format_args!(
                "seed {} · delay {} · loss {} %",
                scene.seed,
                ladder::clock(scene.delay_us),
                scene.loss_percent
            )
        ),
    )?;
    writeln!(out)?;
    let boxes = [
        ["alice".to_owned(), scene.west_net.clone()],
        ["west".to_owned(), scene.west.clone()],
        ["east".to_owned(), scene.east.clone()],
        ["bob".to_owned(), scene.east_net.clone()],
    ];
    let widths: Vec<usize> = boxes.iter().map(|[_, text]| text.chars().count() + 2).collect();
    let room = WIDTH.saturating_sub(widths.iter().map(|width| width + 2).sum::<usize>());
    let tunnel = room.saturating_sub(6).max(8);
    let links = ["───".to_owned(), "═".repeat(tunnel), "───".to_owned()];
    for (row, line) in ["┌┐", "├┤", "  ", "└┘"].iter().enumerate() {
        let mut text = String::from("  ");
        for (index, ([name, address], width)) in boxes.iter().zip(&widths).enumerate() {
            match row {
                0 | 3 => {
                    let mut corners = line.chars();
                    text.extend(corners.next());
                    text.push_str(&"─".repeat(*width));
                    text.extend(corners.next());
                }
                1 => {
                    text.push(if index == 0 { '│' } else { '┤' });
                    text.push_str(&paint(paint::TITLE, format_args!("{name:^width$}")));
                    text.push(if index == 3 { '│' } else { '├' });
                }
                _ => {
                    text.push('│');
                    text.push_str(&paint(paint::FAINT, format_args!("{address:^width$}")));
                    text.push('│');
                }
            }
            if let Some(link) = links.get(index) {
                let columns = link.chars().count();
                match row {
                    1 => text.push_str(link),
                    2 if index == 1 => {
                        text.push_str(&paint(paint::FAINT, format_args!("{:^columns$}", "tunnel")));
                    }
                    _ => text.push_str(&" ".repeat(columns)),
                }
            }
        }
        writeln!(out, "{text}")?;
    }
    Ok(())
}

fn draw_stage(out: &mut impl Write, stage: &Stage) -> io::Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "  {} {}",
        paint(paint::STAGE, format_args!(" {} ", stage.number)),
        paint(paint::TITLE, stage.title)
    )?;
    for line in wrap(stage.about, WIDTH - 4) {
        writeln!(out, "      {}", paint(paint::FAINT, line))?;
    }
    writeln!(out)
}

fn draw_settings(out: &mut impl Write, rows: &[Setting]) -> io::Result<()> {
    writeln!(out, "  {}", paint(paint::FAINT, format_args!("{:<18}{:<29}{}", "", "west", "east")))?;
    for Setting { name, west, east } in rows {
        writeln!(out, "  {}{west:<29}{east}", paint(paint::FAINT, format_args!("{name:<18}")))?;
    }
    Ok(())
}

fn draw_table(out: &mut impl Write, table: &Table) -> io::Result<()> {
    let whose = table.side.map_or(String::new(), |side| format!(" of {}", side.name()));
    writeln!(out, "  {}", paint(paint::TITLE, format_args!("{}{whose}", table.title)))?;
    let mut widths: Vec<usize> = table.columns.iter().map(|name| name.chars().count()).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        text.truncate(text.trim_end().len());
        text
    };
    writeln!(out, "  {}", paint(paint::FAINT, line(&mut table.columns.iter().copied())))?;
    for row in &table.rows {
        writeln!(out, "  {}", line(&mut row.iter().map(String::as_str)))?;
    }
    writeln!(out)
}

fn draw_packet(out: &mut impl Write, packet: &Packet) -> io::Result<()> {
    writeln!(
        out,
        "  {}  {}",
        paint(paint::TITLE, packet.step),
        paint(paint::FAINT, format_args!("{} octets, {}", packet.octets.len(), packet.place))
    )?;
    for Field { start, end, part, label } in &packet.fields {
        let octets = packet.octets.get(*start..*end).unwrap_or_default();
        let lines = octets.chunks(OCTETS_A_LINE);
        let last = lines.len().saturating_sub(1);
        for (index, chunk) in lines.enumerate() {
            // A long run shows its head and its tail.
            if last > 3 && index > 1 && index < last {
                if index == 2 {
                    writeln!(
                        out,
                        "          {}",
                        paint(paint::FAINT, format_args!("… {} octets more", (last - 2) * OCTETS_A_LINE))
                    )?;
                }
                continue;
            }
            let hex: Vec<String> = chunk.iter().map(|octet| format!("{octet:02x}")).collect();
            let columns = OCTETS_A_LINE * 3;
            let offset = start + index * OCTETS_A_LINE;
            let label = if index == 0 { label.as_str() } else { "" };
            let hex = paint(paint::part(*part), hex.join(" "));
            let gap = if label.is_empty() { 0 } else { columns - chunk.len() * 3 + 2 };
            writeln!(
                out,
                "    {}  {hex}{}{label}",
                paint(paint::FAINT, format_args!("{offset:04x}")),
                " ".repeat(gap)
            )?;
        }
    }
    writeln!(out)
}

fn draw_throughput(out: &mut impl Write, throughput: &Throughput) -> io::Result<()> {
    writeln!(
        out,
        "  {}  {:.0} packets/s, {:.2} Gbit/s",
        paint(paint::TITLE, "throughput"),
        throughput.packets_per_second(),
        throughput.bits_per_second() / 1e9,
    )?;
    let told = format!(
        "{} packets of {} octets, sealed and opened by one core in {:.1} ms",
        throughput.received,
        throughput.packet_octets,
        throughput.elapsed_ns as f64 / 1e6,
    );
    writeln!(out, "    {}", paint(paint::FAINT, told))?;
    writeln!(out)
}

fn draw_verdict(out: &mut impl Write, verdict: &Verdict) -> io::Result<()> {
    writeln!(out, "  {}", paint(paint::TITLE, "Do both ends agree?"))?;
    let width = verdict.agreements.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
    for Agreement { what, west, east, holds } in &verdict.agreements {
        if *holds {
            writeln!(out, "    {} {what:<width$}  {west}", paint(paint::GOOD, "✓"))?;
        } else {
            writeln!(
                out,
                "    {} {what:<width$}  west says {west}, east says {east}",
                paint(paint::BAD, "✗")
            )?;
        }
    }
    writeln!(out)?;
    let (word, style) = if verdict.holds { ("agreed", paint::GOOD) } else { ("not agreed", paint::BAD) };
    let summary = format!(
        "from the first packet to its answer: {}, {} datagrams, {} lost",
        ladder::clock(verdict.bring_up_us),
        verdict.datagrams,
        verdict.lost
    );
    writeln!(out, "  {}  {summary}", paint(style, word))?;
    writeln!(out)
}

/// `text` in lines of at most `columns`.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                line.push_str(word);
            } else if line.chars().count() + 1 + word.chars().count() <= columns {
                line.push(' ');
                line.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
    }

    #[test]
    fn a_table_lines_its_columns_up() {
        let mut out = Vec::new();
        let table = Table {
            title: "SAD".into(),
            side: None,
            columns: vec!["SPI", "packets"],
            rows: vec![vec!["c0ffee00".into(), "1".into()], vec!["1".into(), "2".into()]],
        };
        draw_table(&mut out, &table).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        assert_eq!(text, "  SAD\n  SPI       packets\n  c0ffee00  1\n  1         2\n\n");
    }
}
