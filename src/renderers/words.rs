//! The words around the items, in every language that marquee speaks.
//!
//! One table: each [`Word`] has a column per [`Locale`]. What comes from outside (texts, ids,
//! titles, reasons of errors) is never translated, and no grammar engine is hidden here: a
//! sentence that needs a number is put together from the pieces before and after it.

use super::Locale;
use crate::config::keymap::Action;
use crate::frame::{Level, Outcome};

/// Something that is said on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// A level in running text: `warning`.
    Level(Level),
    /// A level as a headline: `WARNING`.
    Headline(Level),
    /// This console leads.
    Leader,
    /// This console follows.
    Follower,
    /// This console lost the others.
    Local,
    /// There are no other consoles.
    Alone,
    /// After the number 1.
    Console,
    /// After any other number.
    Consoles,
    /// Between a follower and the console that it follows.
    FollowerOf,
    /// The headline of a follower that does not hear its leader.
    NotInSync,
    /// The same where there are few columns.
    NoSync,
    /// The headline of a console that lost the others and goes on by itself.
    OnItsOwn,
    /// Before what a console that is not in sync tells of it.
    OutOfSync,
    /// Between that and the leader that is not heard.
    NoWordFrom,
    /// Between that and the age of the silence, where no leader was heard yet.
    NoLeaderFor,
    /// Between that and the age of the silence, where etcd does not answer.
    NoJudgeFor,
    /// Between the leader and the age of the silence.
    For,
    /// What a follower does meanwhile.
    GoesOn,
    /// What a console does that lost the others.
    MeasuresItself,
    /// What a console does that may lead no more.
    LeadsNoMore,
    /// The headline of a stopped page.
    Paused,
    /// Between a turn's place and the number of turns.
    Of,
    /// Before an age.
    AgoBefore,
    /// After an age.
    AgoAfter,
    /// An age of nothing: there was no news yet.
    Never,
    /// Before a period.
    Every,
    /// Before the age of news that is too old.
    LastNews,
    /// Instead of an age, where there was no news yet.
    NoNews,
    /// After the number of healthy items that share a turn.
    AllHealthy,
    /// After the number of rows that found no room.
    More,
    /// The mark of an alarm that somebody knows of.
    Acknowledged,
    /// The same where there are few columns.
    AcknowledgedShort,
    /// What an item is whose acknowledgement was taken back, or refused.
    NotAcknowledged,
    /// Why an item can't be acknowledged.
    NoAlarm,
    /// Why nothing of an item can be run.
    NoCheck,
    /// Before the name of the console that this one follows, where a key can't do what it should.
    ThisFollows,
    /// After it.
    AskThere,
    /// Before the same name where there are few columns.
    Ask,
    /// What is said where there is no such name yet.
    NobodyLeads,
    /// The mark of an item that changes too often.
    Flapping,
    /// The mark of a text that something was taken out of.
    Filtered,
    /// What was taken out of it.
    FilteredWhy,
    /// The label of the moment since when an item is at its level.
    Since,
    /// The label of where the news comes from.
    Source,
    /// The label of the period.
    Period,
    /// The label of how long the last run took.
    Took,
    /// The label of what half of the runs stayed within.
    HalfWithin,
    /// The label of what 95 of a hundred runs stayed within.
    MostWithin,
    /// The label of the last run.
    LastRun,
    /// The label of how long the last run waited.
    Waited,
    /// The label of its further tries.
    Retries,
    /// The label of the bytes that came in.
    Received,
    /// The label of a plan whose breaker is open.
    LeftAlone,
    /// Why it is.
    LeftAloneWhy,
    /// How a run ended.
    Outcome(Outcome),
    /// The label of when the next run is due.
    NextRun,
    /// Before the time left until the next run.
    In,
    /// What the next run's time says while a run is in flight.
    Running,
    /// What the next run's time says when it is due.
    Due,
    /// The label of the age of the last news.
    Updated,
    /// The label of what was measured.
    Values,
    /// Before the number of remembered results.
    Last,
    /// After the number of remembered results.
    Results,
    /// Column title of the item's name.
    Item,
    /// Column title of the item's text.
    Text,
    /// Column title of the console's name.
    Name,
    /// Column title of its role.
    Role,
    /// Column title of the age of its role.
    RoleSince,
    /// Column title of its version.
    Version,
    /// Column title of how far its clock is off.
    Offset,
    /// Column title of how wrong that may be.
    Within,
    /// Column title of when it was last heard of.
    Seen,
    /// Behind the name of the console that shows this.
    Here,
    /// When the console that shows this was last heard of.
    Now,
    /// What is shown until the others have answered.
    Asking,
    /// Nothing is selected or the item is gone.
    NoItem,
    /// No item matches what is typed.
    NoMatch,
    /// The title of the help.
    Keys,
    /// The hint of the pause key while the page is stopped.
    Resume,
    /// The hint of the view key in the board view.
    Peers,
    /// The hint of the view key in the view of the consoles.
    Marquee,
    /// What enter does while finding.
    Keep,
    /// What escape does while finding.
    Leave,
    /// The line of the help for an action.
    Help(Action),
    /// The hint for an action.
    Hint(Action),
}

/// What `word` is in the language of `locale`.
#[must_use]
pub const fn word(locale: Locale, word: Word) -> &'static str {
    let (en, zh) = pair(word);
    match locale {
        Locale::En => en,
        Locale::Zh => zh,
    }
}

/// The table: English, Chinese.
const fn pair(word: Word) -> (&'static str, &'static str) {
    match word {
        Word::Level(level) => level_pair(level),
        Word::Headline(level) => headline_pair(level),
        Word::Leader => ("leader", "主控"),
        Word::Follower => ("follower", "跟随"),
        Word::Local => ("local", "脱机"),
        Word::Alone => ("alone", "单机"),
        Word::Console => ("console", "台"),
        Word::Consoles => ("consoles", "台"),
        Word::FollowerOf => ("follower of ", "跟随 "),
        Word::NotInSync => ("NOT IN SYNC", "未同步"),
        Word::NoSync => ("NO SYNC", "未同步"),
        Word::OnItsOwn => ("LOCAL", "脱机"),
        Word::OutOfSync => ("not in sync: ", "未同步:"),
        Word::NoWordFrom => ("no word from ", "收不到 "),
        Word::NoLeaderFor => ("no leader has been heard for ", "没有主控已 "),
        Word::NoJudgeFor => ("etcd has not answered for ", "etcd 无应答已 "),
        Word::For => (" for ", " 的消息已 "),
        Word::GoesOn => ("; goes on as last planned", ",按其最后的安排继续翻页"),
        Word::MeasuresItself => ("; measures by itself, slowly", ",本机自行检查,频率较低"),
        Word::LeadsNoMore => ("; leads no more until it does", ",恢复前本机不再主控"),
        Word::Paused => ("PAUSED", "已暂停"),
        Word::Of => (" of ", " / "),
        Word::AgoBefore => ("", ""),
        Word::AgoAfter => (" ago", "前"),
        Word::Never => ("never", "从未"),
        Word::Every => ("every ", "每"),
        Word::LastNews => ("last news ", "最后消息 "),
        Word::NoNews => ("no news yet", "尚无消息"),
        Word::AllHealthy => (" healthy", " 项正常"),
        Word::More => (" more", " 项未显示"),
        Word::Acknowledged => ("acknowledged", "已确认"),
        Word::AcknowledgedShort => ("ack'd", "已确认"),
        Word::NotAcknowledged => ("not acknowledged", "未确认"),
        Word::NoAlarm => ("no alarm to acknowledge", "没有可确认的报警"),
        Word::NoCheck => ("no check to run", "没有可运行的检查"),
        Word::ThisFollows => ("this console follows ", "本机跟随 "),
        Word::AskThere => (": ask there", ",请在那里操作"),
        Word::Ask => ("ask ", "请到 "),
        Word::NobodyLeads => ("nobody leads yet: try again", "尚无主控,请稍后再试"),
        Word::Flapping => ("flapping", "频繁变化"),
        Word::Filtered => ("filtered", "已过滤"),
        Word::FilteredWhy => ("control codes were taken out", "已去除控制字符"),
        Word::Since => ("since", "开始于"),
        Word::Source => ("source", "来源"),
        Word::Period => ("every", "周期"),
        Word::Took => ("took", "耗时"),
        Word::HalfWithin => ("half within", "半数不超过"),
        Word::MostWithin => ("95 % within", "95% 不超过"),
        Word::LastRun => ("last run", "上次运行"),
        Word::Waited => ("waited", "等待"),
        Word::Retries => ("retries", "重试"),
        Word::Received => ("received", "接收"),
        Word::LeftAlone => ("left alone", "暂停询问"),
        Word::LeftAloneWhy => ("it failed too often in a row", "连续失败过多"),
        Word::Outcome(Outcome::Done) => ("done", "完成"),
        Word::Outcome(Outcome::Failed) => ("failed", "失败"),
        Word::Outcome(Outcome::TimedOut) => ("timed out", "超时"),
        Word::Outcome(Outcome::Cancelled) => ("cancelled", "已取消"),
        Word::NextRun => ("next run", "下次"),
        Word::In => ("in ", "还有 "),
        Word::Running => ("running", "进行中"),
        Word::Due => ("due", "到期"),
        Word::Updated => ("last news", "最后消息"),
        Word::Values => ("values", "数值"),
        Word::Last => ("last ", "最近 "),
        Word::Results => (" results", " 次结果"),
        Word::Item => ("ITEM", "项目"),
        Word::Text => ("TEXT", "内容"),
        Word::Name => ("CONSOLE", "终端"),
        Word::Role => ("ROLE", "角色"),
        Word::RoleSince => ("SINCE", "开始于"),
        Word::Version => ("VERSION", "版本"),
        Word::Offset => ("OFFSET", "偏差"),
        Word::Within => ("WITHIN", "误差"),
        Word::Seen => ("LAST SEEN", "最后出现"),
        Word::Here => ("here", "本机"),
        Word::Now => ("now", "现在"),
        Word::Asking => ("asking the other consoles", "正在询问其他终端"),
        Word::NoItem => ("this item is gone", "该项目已不存在"),
        Word::NoMatch => ("no item matches", "没有匹配的项目"),
        Word::Keys => ("Keys", "按键"),
        Word::Resume => ("resume", "继续"),
        Word::Peers => ("consoles", "终端"),
        Word::Marquee => ("marquee", "轮播"),
        Word::Keep => ("keep", "选定"),
        Word::Leave => ("leave", "离开"),
        Word::Help(action) => help_pair(action),
        Word::Hint(action) => hint_pair(action),
    }
}

const fn level_pair(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Critical => ("critical", "严重"),
        Level::Unknown => ("unknown", "未知"),
        Level::Warning => ("warning", "警告"),
        Level::Info => ("info", "信息"),
        Level::Healthy => ("healthy", "正常"),
    }
}

const fn headline_pair(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Critical => ("CRITICAL", "严重"),
        Level::Unknown => ("UNKNOWN", "未知"),
        Level::Warning => ("WARNING", "警告"),
        Level::Info => ("INFO", "信息"),
        Level::Healthy => ("HEALTHY", "正常"),
    }
}

const fn help_pair(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Quit => ("quit", "退出"),
        Action::Pause => ("stop or resume the turning of pages", "暂停或继续翻页"),
        Action::StepBack => ("one turn back", "上一项"),
        Action::StepOn => ("one turn on", "下一项"),
        Action::Up => ("select the item above", "选择上面的项目"),
        Action::Down => ("select the item below", "选择下面的项目"),
        Action::PageUp => ("a page up", "上翻一页"),
        Action::PageDown => ("a page down", "下翻一页"),
        Action::First => ("the first item", "第一项"),
        Action::Last => ("the last item", "最后一项"),
        Action::View => ("next view: marquee, board, consoles", "切换视图:轮播、列表、终端"),
        Action::Detail => ("detail of the selected item", "所选项目的详情"),
        Action::Find => ("find items by id or text", "按名称或内容查找"),
        Action::Theme => ("next theme", "切换主题"),
        Action::RunNow => ("run the selected item's check now", "立即检查所选项目"),
        Action::Acknowledge => ("acknowledge the alarm, or undo it", "确认报警,或取消确认"),
        Action::Help => ("show or hide these keys", "显示或隐藏按键"),
        Action::Back => ("close what is open", "关闭当前窗口"),
        Action::Erase => ("rub out one character", "删除一个字符"),
    }
}

const fn hint_pair(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Quit => ("quit", "退出"),
        Action::Pause => ("pause", "暂停"),
        Action::StepBack | Action::StepOn => ("step", "翻页"),
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            ("select", "选择")
        }
        Action::View => ("board", "列表"),
        Action::Detail => ("detail", "详情"),
        Action::Find => ("find", "查找"),
        Action::Theme => ("theme", "主题"),
        Action::RunNow => ("run", "检查"),
        Action::Acknowledge => ("acknowledge", "确认"),
        Action::Help => ("help", "帮助"),
        Action::Back => ("close", "关闭"),
        Action::Erase => ("erase", "删除"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keymap::BINDINGS;

    #[test]
    fn the_english_help_and_hints_are_those_of_the_key_table() {
        for binding in BINDINGS {
            assert_eq!(word(Locale::En, Word::Help(binding.action)), binding.help);
            assert!(!word(Locale::Zh, Word::Help(binding.action)).is_ascii());
            if let Some(hint) = binding.hint {
                assert_eq!(word(Locale::En, Word::Hint(binding.action)), hint);
            }
        }
    }

    #[test]
    fn levels_have_a_word_of_their_own_in_every_language() {
        for locale in [Locale::En, Locale::Zh] {
            for (place, level) in Level::ALL.into_iter().enumerate() {
                let told = word(locale, Word::Level(level));
                assert!(Level::ALL[..place].iter().all(|other| word(locale, Word::Level(*other)) != told));
            }
        }
        assert_eq!(word(Locale::En, Word::Headline(Level::Warning)), "WARNING");
    }
}
