import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.Request;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/**
 * Runs JUnit 4's classes and prints a line for each test, which xtask counts: `Tests SECONDS CLASS…`. When no test
 * begins or ends for that long, every thread's stack is printed and the process ends. Java starts this file as it is.
 */
public final class Tests extends RunListener {
    private final Map<Description, Long> started = new ConcurrentHashMap<>();
    private final Map<Description, String> ends = new ConcurrentHashMap<>();
    private volatile long lastEvent = System.nanoTime();
    private volatile String current = "before the first test";

    public static void main(String[] arguments) throws Exception {
        Tests tests = new Tests();
        long seconds = Long.parseLong(arguments[0]);
        List<Class<?>> classes = new ArrayList<>();
        for (String name : Arrays.asList(arguments).subList(1, arguments.length)) {
            Class<?> named = Class.forName(name);
            if (!Modifier.isAbstract(named.getModifiers())) classes.add(named); // What several have in common is none.
        }
        Thread watch = new Thread(() -> tests.watch(seconds), "time limit of the tests");
        watch.setDaemon(true);
        watch.start();
        JUnitCore core = new JUnitCore();
        core.addListener(tests);
        end(core.run(Request.classes(classes.toArray(new Class<?>[0]))).wasSuccessful() ? 0 : 1);
    }

    @Override public void testStarted(Description test) {
        happened(test.getDisplayName());
        started.put(test, lastEvent);
    }

    @Override public void testFailure(Failure failure) {
        System.out.println(failure.getTrimmedTrace());
        Description test = failure.getDescription();
        if (started.containsKey(test)) ends.put(test, "failed");
        else say("failed", test.getDisplayName(), 0); // A whole class, in what it does before or after its tests.
    }

    @Override public void testAssumptionFailure(Failure failure) {
        System.out.println(failure.getMessage());
        ends.put(failure.getDescription(), "skipped");
    }

    @Override public void testIgnored(Description test) {
        say("skipped", test.getDisplayName(), 0);
    }

    @Override public void testFinished(Description test) {
        long start = started.remove(test);
        happened("after " + test.getDisplayName());
        String end = ends.remove(test);
        say(end == null ? "passed" : end, test.getDisplayName(), lastEvent - start);
    }

    private void happened(String what) {
        lastEvent = System.nanoTime();
        current = what;
    }

    private static void say(String end, String test, long nanoseconds) {
        System.out.printf("%nandroid test %s: %s (%.2f s)%n", end, test, nanoseconds / 1e9);
    }

    private void watch(long limit) {
        while (System.nanoTime() - lastEvent < limit * 1_000_000_000) {
            try { Thread.sleep(500); } catch (InterruptedException e) { return; }
        }
        Thread.getAllStackTraces().forEach((thread, stack) -> {
            System.out.println(thread);
            for (StackTraceElement frame : stack) System.out.println("    at " + frame);
        });
        say("failed", current + ": longer than " + limit + " s", System.nanoTime() - lastEvent);
        end(3);
    }

    /** Ends at once: what a test has left running, a thread or a server's process, holds up nothing. */
    private static void end(int code) {
        ProcessHandle.current().descendants().forEach(ProcessHandle::destroy);
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }
}
